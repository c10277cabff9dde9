-- Creates an account; without a password it is signed in by other means. Raises PT409 account_exists, PT422 invalid_account.
create or replace function trusted.account_create(p_email text, p_name text, p_password_hash text default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_account core.account;
begin
  perform logic.account_check(p_email, p_name);
  insert into core.account (email, name, password_hash) values (btrim(p_email), btrim(p_name), p_password_hash)
  on conflict (lower(email)) do nothing
  returning * into v_account;
  if v_account.id is null then
    raise sqlstate 'PT409' using message = 'There is an account with this e-mail address.', hint = 'account_exists';
  end if;
  return logic.account_shape(v_account);
end
$$;
comment on function trusted.account_create(text, text, text) is 'Creates an account and answers it.';
