-- The one place that writes the log. Gives the change its seq and its time, which is never before that of the last one.
-- Locks: the clock of the workspace. Above READ COMMITTED the snapshot may be older than the lock, and the seq taken already:
-- then 40001, so that the writer tries again.
create or replace function logic.change_append(p_change core.change) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_last constant bigint := logic.seq_last(p_change.workspace_id);
begin
  p_change.seq := v_last + 1;
  p_change.actor_id := core.entered_actor();
  p_change.transaction_id := nullif(current_setting('rowcast.transaction', true), '')::uuid;
  p_change.at := greatest(clock_timestamp(), (
    select c.at from core.change c where c.workspace_id = p_change.workspace_id and c.seq = v_last));
  if current_setting('transaction_isolation') = 'read committed' then
    insert into core.change values (p_change.*);
  else
    begin
      insert into core.change values (p_change.*);
    exception when unique_violation then
      raise sqlstate '40001' using message = 'Another transaction wrote to this workspace first; try again.';
    end;
  end if;
  perform logic.seq_carry(p_change.workspace_id, p_change.seq);
end
$$;
comment on function logic.change_append(core.change) is 'Appends a change to the log of its workspace.';
