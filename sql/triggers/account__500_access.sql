-- An account that is disabled, wherever that is done: its sessions end, and the hubs hear of it.
create or replace function logic.account__500_access() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update core.session s
  set revoked_at = clock_timestamp()
  where s.account_id = new.id and s.revoked_at is null;
  perform pg_notify('rowcast', 'account ' || new.id);
  return null;
end
$$;
comment on function logic.account__500_access() is 'Ends the sessions of an account that is disabled, and wakes the hubs.';

create or replace trigger account__500_access
  after update of disabled_at on core.account
  for each row
  when (old.disabled_at is distinct from new.disabled_at)
  execute function logic.account__500_access();
