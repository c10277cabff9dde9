create or replace function logic.is_owner(p_workspace_id uuid, p_account_id uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from core.member m
    where m.workspace_id = p_workspace_id and m.account_id = p_account_id and m.role = 'owner')
$$;
comment on function logic.is_owner(uuid, uuid) is 'Whether an account is an owner of a workspace.';
