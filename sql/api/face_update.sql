-- PATCH a record of a collection, flat or as {patch}; answers it in a shape of a face. Raises as logic.record_update, PT422 read_only_field.
create or replace function api.face_update(
  p_workspace_id uuid, p_id text, p_face_collection text, p_face_shape text, p_rest jsonb, p_patch jsonb default null,
  p_base_version integer default null, p_if_match text default null) returns jsonb
language plpgsql volatile
as $$
declare
  v_written record;
begin
  perform logic.face_record(p_workspace_id, p_face_collection, p_id);
  v_written := logic.record_update(p_workspace_id, p_id, logic.flat_document(p_patch, p_rest), p_base_version, p_if_match);
  return faces.shape(p_face_shape, v_written.record) || jsonb_build_object('seq', v_written.seq);
end
$$;
comment on function api.face_update(uuid, text, text, text, jsonb, jsonb, integer, text) is 'Merges a patch into a record and answers it in a shape of a face.';
