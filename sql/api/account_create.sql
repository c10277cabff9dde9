-- Creates an account. Raises PT409 account_exists, PT422 invalid_account.
create or replace function api.account_create(p_email text, p_name text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_account core.account;
begin
  insert into core.account (email, name) values (btrim(p_email), btrim(p_name))
  on conflict (lower(email)) do nothing
  returning * into v_account;
  if v_account.id is null then
    raise sqlstate 'PT409' using message = 'There is an account with this e-mail address.', hint = 'account_exists';
  end if;
  return jsonb_build_object('id', v_account.id, 'email', v_account.email, 'name', v_account.name);
exception when check_violation then
  raise sqlstate 'PT422' using message = 'This is no e-mail address, or the name is empty or too long.', hint = 'invalid_account';
end
$$;
comment on function api.account_create(text, text) is 'Creates an account and answers it.';
