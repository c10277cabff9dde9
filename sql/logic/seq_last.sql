-- The last seq of a workspace, under the lock of its clock, which is held until commit: so seq is gapless and in commit order.
-- Locks: the clock row, waiting for it (the server has it already, see batch_open). Two statements, on purpose: in one, the
-- log would be read with a snapshot taken before the lock was granted, and the seq would be stale.
create or replace function logic.seq_last(p_workspace_id uuid) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_seq bigint := logic.seq_carried(p_workspace_id);
  v_floor bigint;
  v_at timestamptz;
begin
  if v_seq is not null then
    return v_seq;
  end if;
  select c.floor into v_floor
  from core.clock c
  where c.workspace_id = p_workspace_id
  for update;
  if not found then
    raise exception 'workspace % has no clock', p_workspace_id;
  end if;
  select c.seq, c.at into v_seq, v_at
  from core.change c
  where c.workspace_id = p_workspace_id
  order by c.seq desc
  limit 1;
  return logic.seq_carry(p_workspace_id, coalesce(v_seq, v_floor), coalesce(v_at, '-infinity'));
end
$$;
comment on function logic.seq_last(uuid) is 'The last seq of a workspace; takes its clock.';
