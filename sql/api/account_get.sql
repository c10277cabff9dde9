-- GET me. Raises PT401 unauthenticated.
create or replace function api.account_get() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor constant uuid := logic.sign_in_check(p_token_too => true);
begin
  return (select logic.account_shape(a) from core.account a where a.id = v_actor);
end
$$;
comment on function api.account_get() is 'The caller''s account.';
