-- An account whose access ends, wherever that is done: what was handed out before no longer counts, and the hubs hear of it.
create or replace function logic.account__500_access() returns trigger
language plpgsql volatile
as $$
begin
  new.access_epoch := old.access_epoch + 1;
  perform pg_notify('rowcast', 'account ' || new.id);
  return new;
end
$$;
comment on function logic.account__500_access() is 'Raises the access epoch of an account that is disabled, and wakes the hubs.';

create or replace trigger account__500_access
  before update on core.account
  for each row
  when (old.disabled_at is distinct from new.disabled_at)
  execute function logic.account__500_access();
