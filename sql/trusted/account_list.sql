-- All accounts, for `rowcast user list`: {accounts}.
create or replace function trusted.account_list() returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('accounts', coalesce(jsonb_agg(
    logic.account_shape(a) || jsonb_build_object('disabledAt', logic.utc(a.disabled_at)) order by a.created_at, a.id), '[]'))
  from core.account a
  where a.erased_at is null
$$;
comment on function trusted.account_list() is 'All accounts.';
