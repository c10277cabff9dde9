-- Trims the log of a workspace: one step of about p_rows changes, of those older than p_before; a write that is bigger goes in one. Answers
-- {changes, floor, more}: how many were trimmed, up to which seq, and whether there is more to do. Each step leaves the log as it is
-- to be: floor and rows change in one transaction, so that one that is killed only leaves more to do.
-- Locks: the changes first, which nobody else writes; the clock last, and until the commit only, so that no write sees half of it and
-- none waits for the rows. One step at a time works on a workspace, by an advisory lock.
create or replace function trusted.log_compact(p_workspace_id uuid, p_before timestamptz, p_rows integer default 10000) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_floor bigint;
  v_target bigint;
  v_to bigint;
  v_at timestamptz;
begin
  perform pg_advisory_xact_lock(hashtextextended('rowcast compact ' || p_workspace_id, 0));
  select k.floor, logic.compact_target(k.workspace_id, p_before) into v_floor, v_target
  from core.clock k
  where k.workspace_id = p_workspace_id;
  if not found then
    perform logic.raise_refusal('unknown_workspace');
  end if;
  v_to := v_target;
  if v_floor + p_rows < v_target then
    v_to := (logic.write_span(p_workspace_id, v_floor + p_rows)).last;
  end if;
  if v_to > v_floor then
    select c.at into v_at from core.change c where c.workspace_id = p_workspace_id and c.seq = v_to;
    perform logic.baselines_make(p_workspace_id, v_floor, v_to);
    update core.clock k set floor = v_to, floor_at = v_at where k.workspace_id = p_workspace_id;
  end if;
  return jsonb_build_object('changes', v_to - v_floor, 'floor', v_to, 'more', v_to < v_target);
end
$$;
comment on function trusted.log_compact(uuid, timestamptz, integer) is 'Trims a piece of the log of a workspace.';
