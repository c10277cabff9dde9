-- Takes the accounts that act in a batch, in one order, and answers which it got.
-- Locks: account rows, skipping what others hold, or with p_wait_ms waiting so long at most (55P03).
create or replace function logic.accounts_lock(p_accounts uuid[], p_wait_ms integer) returns uuid[]
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if p_wait_ms > 0 then
    perform set_config('lock_timeout', p_wait_ms::text, true);
    perform 1 from core.account a where a.id = any (p_accounts) order by a.id for no key update;
    perform set_config('lock_timeout', '50ms', true);
    return p_accounts;
  end if;
  return array(
    select a.id
    from core.account a
    where a.id = any (p_accounts)
    order by a.id
    for no key update skip locked);
end
$$;
comment on function logic.accounts_lock(uuid[], integer) is 'Locks accounts in order, without waiting or waiting for them.';
