-- DELETE a record of a collection; answers {id, seq}. Raises as logic.record_delete.
create or replace function api.face_delete(
  p_workspace_id uuid, p_id text, p_face_collection text, p_if_match text default null) returns jsonb
language plpgsql volatile
as $$
begin
  perform logic.face_record(p_workspace_id, p_face_collection, p_id);
  return api.record_delete(p_workspace_id, p_id, p_if_match);
end
$$;
comment on function api.face_delete(uuid, text, text, text) is 'Deletes a record of a face softly.';
