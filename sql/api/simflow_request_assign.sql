-- PATCH /api/requests/{id}/assign of Sim-Flow: {request}. To assign is to hand a request on, so it asks for the right to move it: managers
-- have it for all, engineers for their own and for what nobody has. No engineer: nobody is assigned any more.
-- Raises PT404 unknown_member, PT403 not_permitted, and as logic.record_update.
create or replace function api.simflow_request_assign(
  p_workspace_id uuid, p_id text, p_engineer_id uuid default null, p_estimated_hours numeric default null, p_if_match text default null)
returns jsonb
language plpgsql volatile
as $$
declare
  v_record constant core.record := logic.face_record(p_workspace_id, 'request', p_id);
  v_written record;
begin
  if logic.repeated_seq() is null then
    if not core.permits('move', v_record.collection, v_record.audience) then
      perform logic.raise_refusal('not_permitted');
    end if;
    if p_engineer_id is not null then
      perform logic.member_find(p_workspace_id, p_engineer_id);
    end if;
  end if;
  v_written := logic.record_update(p_workspace_id, p_id,
    jsonb_build_object('assignedTo', p_engineer_id)
      || case when p_estimated_hours is not null then jsonb_build_object('estimatedHours', p_estimated_hours) else '{}' end,
    null, p_if_match);
  return jsonb_build_object('request', faces.simflow_request(v_written.record), 'seq', v_written.seq);
end
$$;
comment on function api.simflow_request_assign(uuid, text, uuid, numeric, text) is 'Assigns a request to an engineer.';
