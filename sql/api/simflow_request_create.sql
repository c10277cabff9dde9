-- POST /api/requests of Sim-Flow: {request}. Raises as logic.record_create, PT422 read_only_field.
create or replace function api.simflow_request_create(
  p_workspace_id uuid, p_rest jsonb, p_data jsonb default null, p_id uuid default null) returns jsonb
language plpgsql volatile
as $$
declare
  v_written constant record := logic.record_create(p_workspace_id, 'request', logic.flat_document(p_data, p_rest), p_id);
begin
  return jsonb_build_object('request', faces.simflow_request(v_written.record), 'seq', v_written.seq);
end
$$;
comment on function api.simflow_request_create(uuid, jsonb, jsonb, uuid) is 'Creates a request.';
