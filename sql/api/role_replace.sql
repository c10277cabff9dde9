-- PUT the roles of a workspace: all of them at once. What members may then do holds at once, on open streams too. The owner's role stays as
-- it is, and a role that somebody holds can't be left out. Nobody makes a role wider than his own.
-- Raises PT403 not_permitted, PT409 role_in_use, PT422 invalid_role.
create or replace function api.role_replace(p_workspace_id uuid, p_roles jsonb) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_roles core.role[];
begin
  if logic.repeated_seq() is null then
    perform logic.manage_check();
    v_roles := array(select r from logic.roles_read(p_workspace_id, p_roles) r where r.key <> 'owner');
    perform logic.role_check(r)
    from unnest(v_roles) r
    left join core.role o on o.workspace_id = p_workspace_id and o.key = r.key
    where (o.read, o.edit, o.may) is distinct from (r.read, r.edit, r.may);
    perform logic.roles_store(p_workspace_id, v_roles);
  end if;
  return jsonb_build_object('roles', logic.roles_shape(p_workspace_id), 'nextCursor', null,
    'seq', logic.written_seq(p_workspace_id));
end
$$;
comment on function api.role_replace(uuid, jsonb) is 'Replaces the roles of a workspace.';
