-- Above READ COMMITTED a snapshot may be older than the lock of the clock, and the log that it shows out of date: then the seq
-- behind its end is taken already, which only the unique index knows. Tries that seq, and takes the try back.
-- For callers who hold the clock, with p_last the last seq that they see. Raises 40001, so that the writer tries again.
create or replace function logic.snapshot_check(p_workspace_id uuid, p_last bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into core.change (workspace_id, seq, at, action) values (p_workspace_id, p_last + 1, clock_timestamp(), 'access');
  raise sqlstate 'PT000' using message = 'Only a try.';
exception
  when sqlstate 'PT000' then
    null;
  when unique_violation then
    raise sqlstate '40001' using message = 'Another transaction wrote to this workspace first; try again.';
end
$$;
comment on function logic.snapshot_check(uuid, bigint) is 'Refuses a writer whose snapshot is older than the end of the log.';
