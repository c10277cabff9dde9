-- What an account may do in a workspace, by a session: its role's tokens, `own` and `unassigned` spelled out as audience uuids, narrowed
-- by the scopes of a personal access token. Null as session: the process vouches for the account by itself (the demo's owner).
-- No row where one is no member, where it is disabled or its session has ended, or where the workspace is gone.
-- For definers only (it reads what nobody has entered yet), and plain so that it is planned into their queries: beside many accounts
-- it is five look-ups each.
create or replace function logic.rights(p_workspace_id uuid, p_account_id uuid, p_session_id uuid)
returns table (read text, edit text, may text)
language sql stable
as $$
  select logic.role_tokens(r.read, m.account_id),
    case when s.scopes is null or 'write' = any (s.scopes) then logic.role_tokens(r.edit, m.account_id) else '' end,
    case when s.scopes is null then logic.role_tokens(r.may, m.account_id)
      else logic.role_tokens(logic.scoped_verbs(r.may, s.scopes), m.account_id) end
  from core.member m
  join core.role r on r.workspace_id = m.workspace_id and r.key = m.role
  join core.account a on a.id = m.account_id and a.disabled_at is null
  join core.workspace w on w.workspace_id = m.workspace_id and w.deleted_at is null
  left join core.session s on s.id = p_session_id
  where m.workspace_id = p_workspace_id and m.account_id = p_account_id
    and (p_session_id is null
      or (s.account_id = p_account_id and s.revoked_at is null and s.expires_at > statement_timestamp()))
$$;
comment on function logic.rights(uuid, uuid, uuid) is 'The tokens that an account holds in a workspace, as the settings rowcast.read, .edit and .may.';
