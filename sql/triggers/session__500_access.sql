-- A session that ends, wherever that is done: the hubs end its streams.
create or replace function logic.session__500_access() returns trigger
language plpgsql volatile
as $$
begin
  perform pg_notify('rowcast', 'account ' || old.account_id);
  return null;
end
$$;
comment on function logic.session__500_access() is 'Wakes the hubs when a session is revoked or deleted.';

create or replace trigger session__500_access
  after delete or update of revoked_at, expires_at, scopes on core.session
  for each row execute function logic.session__500_access();
