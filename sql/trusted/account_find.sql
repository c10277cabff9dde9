-- An account by its e-mail address, for the administrator's commands. Raises PT404 unknown_account.
create or replace function trusted.account_find(p_email text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_account core.account;
begin
  select * into v_account from core.account a where lower(a.email) = lower(btrim(p_email)) and a.disabled_at is null;
  if not found then
    raise sqlstate 'PT404' using message = 'There is no such account, or it is disabled.', hint = 'unknown_account';
  end if;
  return jsonb_build_object('id', v_account.id, 'email', v_account.email, 'name', v_account.name);
end
$$;
comment on function trusted.account_find(text) is 'An account by its e-mail address.';
