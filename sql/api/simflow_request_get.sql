-- GET /api/requests/{id} of Sim-Flow: {request, comments}, the oldest comment first. Raises PT404 unknown_record.
create or replace function api.simflow_request_get(p_workspace_id uuid, p_id text) returns jsonb
language plpgsql stable
as $$
declare
  v_record constant core.record := logic.face_record_live(p_workspace_id, 'request', p_id);
begin
  return jsonb_build_object(
    'request', faces.simflow_request(v_record),
    'comments', (
      select coalesce(jsonb_agg(faces.simflow_comment(c) order by c.created_at, c.id), '[]')
      from core.comment c
      where c.workspace_id = p_workspace_id and c.record_id = v_record.id and c.deleted_at is null));
end
$$;
comment on function api.simflow_request_get(uuid, text) is 'A request with its comments.';
