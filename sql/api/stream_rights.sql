-- The rights of streams, each an account in a workspace by a session: the tokens that it may read with, and a fingerprint of
-- account and tokens (a cursor carries it: with other rights it can't be continued). No row for who has no rights there, or
-- whose session has ended.
-- Definer, since a hub compares the rights of many streams at once; it tells rights, and no data.
create or replace function api.stream_rights(p_workspaces uuid[], p_accounts uuid[], p_sessions uuid[])
returns table (workspace_id uuid, account_id uuid, session_id uuid, read text[], fingerprint text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select s.workspace_id, s.account_id, s.session_id, array_remove(string_to_array(r.read, ' '), ''),
    left(md5(s.account_id || ' ' || r.read), 8)
  from unnest(p_workspaces, p_accounts, p_sessions) s(workspace_id, account_id, session_id)
  cross join lateral logic.rights(s.workspace_id, s.account_id, s.session_id) r
$$;
comment on function api.stream_rights(uuid[], uuid[], uuid[]) is 'What the accounts of streams may read now.';
