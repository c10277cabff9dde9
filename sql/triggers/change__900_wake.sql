-- Wakes the listeners of a workspace for a direct writer. A batch does it once for all its calls (see batch_run).
-- The notification says only where to look; losing it costs seconds, never data.
create or replace function logic.change__900_wake() returns trigger
language plpgsql volatile
as $$
begin
  perform pg_notify('rowcast', new.workspace_id::text);
  return null;
end
$$;
comment on function logic.change__900_wake() is 'Notifies the listeners of a workspace.';

create or replace trigger change__900_wake
  after insert on core.change
  for each row
  when (current_setting('rowcast.batch', true) is distinct from 'on')
  execute function logic.change__900_wake();
