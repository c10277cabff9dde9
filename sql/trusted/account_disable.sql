-- Disables an account, or lets it in again: its sessions and streams end at once. Raises PT404 unknown_account.
create or replace function trusted.account_disable(p_email text, p_disabled boolean default true) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_account core.account;
begin
  update core.account a
  set disabled_at = case when p_disabled then coalesce(a.disabled_at, clock_timestamp()) end
  where lower(a.email) = lower(btrim(p_email)) and a.erased_at is null
  returning * into v_account;
  if not found then
    raise sqlstate 'PT404' using message = 'There is no such account.', hint = 'unknown_account';
  end if;
  return logic.account_shape(v_account);
end
$$;
comment on function trusted.account_disable(text, boolean) is 'Disables an account, or lets it in again.';
