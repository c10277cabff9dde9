-- PATCH /api/requests/{id}/status of Sim-Flow: {request}. The workflow of the collection says which status may follow, and by whom.
-- Raises as logic.record_update.
create or replace function api.simflow_request_status(
  p_workspace_id uuid, p_id text, p_status text, p_base_version integer default null, p_if_match text default null) returns jsonb
language plpgsql volatile
as $$
declare
  v_written record;
begin
  perform logic.face_record(p_workspace_id, 'request', p_id);
  v_written := logic.record_update(p_workspace_id, p_id, jsonb_build_object('status', p_status), p_base_version, p_if_match);
  return jsonb_build_object('request', faces.simflow_request(v_written.record), 'seq', v_written.seq);
end
$$;
comment on function api.simflow_request_status(uuid, text, text, integer, text) is 'Changes the status of a request.';
