-- Makes the account that a registration asked for: its link came back, so the address is its owner's.
-- Raises PT422 invalid_token, PT409 account_exists.
create or replace function trusted.registration_confirm(p_token_id uuid) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_token constant core.one_time_token := logic.one_time_token_take(p_token_id, 'verify-email');
begin
  return jsonb_build_object('user', trusted.account_create(
    v_token.email, v_token.payload ->> 'name', v_token.payload ->> 'passwordHash'));
end
$$;
comment on function trusted.registration_confirm(uuid) is 'Makes the account of a registration.';
