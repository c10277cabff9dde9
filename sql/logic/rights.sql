-- What accounts may do in workspaces, each by a session: their role's tokens, `own` and `unassigned` spelled out as audience uuids, narrowed
-- by the scopes of a personal access token. Null as session: the process vouches for the account by itself (the demo's owner).
-- No row where one is no member, where it is disabled or its session has ended, or where the workspace is gone; n says which.
-- For definers only (it reads what nobody has entered yet), and plain so that it is planned into their queries.
create or replace function logic.rights(p_workspaces uuid[], p_actors uuid[], p_sessions uuid[])
returns table (n bigint, workspace_id uuid, account_id uuid, session_id uuid, read text, edit text, may text)
language sql stable
as $$
  select c.n, m.workspace_id, m.account_id, c.session_id,
    logic.role_tokens(r.read, m.account_id),
    case when s.scopes is null or 'write' = any (s.scopes) then logic.role_tokens(r.edit, m.account_id) else '' end,
    case when s.scopes is null then logic.role_tokens(r.may, m.account_id)
      else logic.role_tokens(logic.scoped_verbs(r.may, s.scopes), m.account_id) end
  from unnest(p_workspaces, p_actors, p_sessions) with ordinality c(workspace_id, account_id, session_id, n)
  join core.member m on m.workspace_id = c.workspace_id and m.account_id = c.account_id
  join core.role r on r.workspace_id = m.workspace_id and r.key = m.role
  join core.account a on a.id = m.account_id and a.disabled_at is null
  join core.workspace w on w.workspace_id = m.workspace_id and w.deleted_at is null
  left join core.session s on s.id = c.session_id
  where c.session_id is null
    or (s.account_id = c.account_id and s.revoked_at is null and s.expires_at > statement_timestamp())
$$;
comment on function logic.rights(uuid[], uuid[], uuid[]) is 'The tokens that accounts hold in workspaces, as the settings rowcast.read, .edit and .may.';
