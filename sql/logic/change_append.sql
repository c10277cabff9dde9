-- The one place that writes the log. Gives the change its seq, which it answers, its actor and transaction, and its time (that
-- of the record, where it has one), which is never before that of the last one; and wakes the listeners of the workspace. A batch wakes them itself, once for all
-- its calls (see batch_close). A notification says only where to look: losing it costs seconds, never data.
-- For definers, who may write the log; by itself it gives that to nobody.
-- Locks: the clock of the workspace. Above READ COMMITTED a snapshot that doesn't show the end of the log is refused (40001).
create or replace function logic.change_append(p_change core.change) returns bigint
language plpgsql volatile
as $$
declare
  v_seq constant bigint := coalesce(logic.seq_carried(p_change.workspace_id), logic.seq_last(p_change.workspace_id)) + 1;
begin
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    perform logic.snapshot_check(p_change.workspace_id, v_seq - 1);
  end if;
  p_change.seq := v_seq;
  p_change.actor_id := core.entered_actor();
  p_change.transaction_id := nullif(current_setting('rowcast.transaction', true), '')::uuid;
  p_change.at := greatest(coalesce(p_change.at, clock_timestamp()), current_setting('rowcast.at')::timestamptz);
  insert into core.change values (p_change.*);
  if current_setting('rowcast.batch', true) is distinct from 'on' then
    perform pg_notify('rowcast', p_change.workspace_id::text);
  end if;
  return logic.seq_carry(p_change.workspace_id, v_seq, p_change.at);
end
$$;
comment on function logic.change_append(core.change) is 'Appends a change to the log of its workspace and answers its seq.';
