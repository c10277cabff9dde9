-- What an account may do in a workspace: its role's tokens, `own` and `unassigned` spelled out as audience uuids.
-- No row where it is no member, where it is disabled, or where the workspace is gone.
-- For definers only (it reads what nobody has entered yet), and plain so that it is planned into their queries.
create or replace function logic.rights(p_workspace_id uuid, p_actor_id uuid)
returns table (read text, edit text, may text)
language sql stable
as $$
  select logic.role_tokens(r.read, p_actor_id), logic.role_tokens(r.edit, p_actor_id), logic.role_tokens(r.may, p_actor_id)
  from core.member m
  join core.role r on r.workspace_id = m.workspace_id and r.key = m.role
  join core.account a on a.id = m.account_id
  join core.workspace w on w.workspace_id = m.workspace_id
  where m.workspace_id = p_workspace_id
    and m.account_id = p_actor_id
    and a.disabled_at is null
    and w.deleted_at is null
$$;
comment on function logic.rights(uuid, uuid) is 'The tokens that an account holds in a workspace, as the settings rowcast.read, .edit and .may.';
