-- Moves a task to a phase, its own where none is named, and there to a place that is counted from 0; to the end where none is.
-- Locks: the clock, which a write holds already, so that the place is that of this moment. Raises as logic.record_move.
create or replace function api.campaign_task_move(
  p_workspace_id uuid, p_id text, p_phase_id text default null, p_position integer default null, p_if_match text default null) returns jsonb
language plpgsql volatile
as $$
declare
  v_record constant core.record := logic.face_record(p_workspace_id, 'task', p_id);
  v_phase jsonb := v_record.data -> 'phaseId';
  v_place record;
  v_written record;
begin
  if p_phase_id is not null and logic.repeated_seq() is null then
    v_phase := to_jsonb((logic.face_record_live(p_workspace_id, 'phase', p_phase_id)).id);
  end if;
  v_place := logic.place_in_group(v_record, 'phaseId', v_phase, p_position);
  v_written := logic.record_move(p_workspace_id, p_id, 'phaseId', v_phase, v_place.before, v_place.after, p_if_match);
  return faces.campaign_item(v_written.record) || jsonb_build_object('seq', v_written.seq);
end
$$;
comment on function api.campaign_task_move(uuid, text, text, integer, text) is 'Moves a task between and within phases.';
