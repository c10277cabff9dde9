-- POST a record into a collection, flat or as {data}; answers it in a shape of a face. Raises as logic.record_create, PT422 read_only_field.
create or replace function api.face_create(
  p_workspace_id uuid, p_face_collection text, p_face_shape text, p_rest jsonb, p_data jsonb default null, p_id uuid default null) returns jsonb
language plpgsql volatile
as $$
declare
  v_written constant record := logic.record_create(
    p_workspace_id, p_face_collection, logic.flat_document(p_data, p_rest), p_id);
begin
  return faces.shape(p_face_shape, v_written.record) || jsonb_build_object('seq', v_written.seq);
end
$$;
comment on function api.face_create(uuid, text, text, jsonb, jsonb, uuid) is 'Creates a record and answers it in a shape of a face.';
