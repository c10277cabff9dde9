-- PATCH a member: gives another role. Owners are made, and unmade, by owners only, and one is left always.
-- Raises PT403 not_permitted, PT404 unknown_member, PT409 last_owner, PT422 unknown_role.
create or replace function api.member_update(p_workspace_id uuid, p_account uuid, p_role text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_member constant core.member := logic.member_find(p_workspace_id, p_account);
begin
  perform logic.manage_check();
  perform logic.role_check(logic.role_find(p_workspace_id, p_role));
  if v_member.role = 'owner' and not logic.is_owner(p_workspace_id, core.entered_actor()) then
    perform logic.raise_refusal('not_permitted');
  end if;
  if logic.repeated_seq() is null then
    update core.member m
    set role = p_role
    where m.workspace_id = p_workspace_id and m.account_id = p_account and m.role <> p_role;
  end if;
  return (logic.members_shape(p_workspace_id, p_account) -> 0)
    || jsonb_build_object('seq', logic.written_seq(p_workspace_id));
end
$$;
comment on function api.member_update(uuid, uuid, text) is 'Gives a member another role.';
