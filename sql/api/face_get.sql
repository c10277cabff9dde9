-- GET a record of a collection in a shape of a face. Raises PT404 unknown_record, also for a deleted one.
create or replace function api.face_get(p_workspace_id uuid, p_id text, p_face_collection text, p_face_shape text) returns jsonb
language sql stable
as $$ select faces.shape(p_face_shape, logic.face_record_live(p_workspace_id, p_face_collection, p_id)) $$;
comment on function api.face_get(uuid, text, text, text) is 'A record in a shape of a face.';
