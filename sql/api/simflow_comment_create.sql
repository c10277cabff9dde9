-- POST /api/requests/{id}/comments of Sim-Flow: {comment}. Raises as logic.comment_create.
create or replace function api.simflow_comment_create(p_workspace_id uuid, p_id text, p_content text) returns jsonb
language plpgsql volatile
as $$
declare
  v_written record;
begin
  perform logic.face_record(p_workspace_id, 'request', p_id);
  v_written := logic.comment_create(p_workspace_id, p_id, p_content, null, null);
  return jsonb_build_object('comment', faces.simflow_comment(v_written.comment), 'seq', v_written.seq);
end
$$;
comment on function api.simflow_comment_create(uuid, text, text) is 'Comments on a request.';
