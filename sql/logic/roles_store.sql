-- Makes these the roles of a workspace, beside the owner's. Invitations into a role that is gone are revoked.
-- Raises PT409 role_in_use.
create or replace function logic.roles_store(p_workspace_id uuid, p_roles core.role[]) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_keys constant text[] := array(select r.key from unnest(p_roles) r);
begin
  if exists (
      select from core.member m
      where m.workspace_id = p_workspace_id and m.role <> 'owner' and m.role <> all (v_keys)) then
    raise sqlstate 'PT409' using hint = 'role_in_use', message = 'A role that somebody holds can''t be left out.';
  end if;
  update core.invitation i
  set revoked_at = clock_timestamp()
  where i.workspace_id = p_workspace_id and i.accepted_at is null and i.revoked_at is null
    and i.role <> 'owner' and i.role <> all (v_keys);
  delete from core.role r where r.workspace_id = p_workspace_id and r.key <> 'owner' and r.key <> all (v_keys);
  insert into core.role as o (workspace_id, key, label, read, edit, may, position)
  select r.* from unnest(p_roles) r
  on conflict (workspace_id, key) do update
    set label = excluded.label, read = excluded.read, edit = excluded.edit, may = excluded.may, position = excluded.position;
end
$$;
comment on function logic.roles_store(uuid, core.role[]) is 'Makes these the roles of a workspace.';
