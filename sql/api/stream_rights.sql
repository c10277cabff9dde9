-- The rights of streams, each an account in a workspace: the tokens that it may read with, a fingerprint of account and tokens
-- (a cursor carries it: with other rights it can't be continued), and the account's access epoch, which a sign-out raises. No
-- row for who has no rights there.
-- Definer, since a hub compares the rights of many streams at once; it tells rights, and no data.
create or replace function api.stream_rights(p_workspaces uuid[], p_accounts uuid[])
returns table (workspace_id uuid, account_id uuid, read text[], fingerprint text, access_epoch bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select s.workspace_id, s.account_id, array_remove(string_to_array(r.read, ' '), ''),
    left(md5(s.account_id || ' ' || r.read), 8), a.access_epoch
  from unnest(p_workspaces, p_accounts) s(workspace_id, account_id)
  join core.account a on a.id = s.account_id
  cross join lateral logic.rights(s.workspace_id, s.account_id) r
$$;
comment on function api.stream_rights(uuid[], uuid[]) is 'What the accounts of streams may read now.';
