-- GET a page of a collection in a shape of a face: {"<plural>": [...], nextCursor}. Raises as logic.record_page.
create or replace function api.face_list(
  p_workspace_id uuid, p_face_collection text, p_face_shape text, p_limit integer default null, p_cursor text default null,
  p_page integer default null, p_sort text default null, p_filter jsonb default null, p_q text default null) returns jsonb
language plpgsql stable
as $$
declare
  v_page constant record := logic.record_page(p_workspace_id, p_face_collection, p_limit, p_cursor, p_page, p_sort, p_filter, p_q);
begin
  return jsonb_build_object(
    (logic.collection_find(p_workspace_id, p_face_collection)).plural,
    coalesce((select jsonb_agg(faces.shape(p_face_shape, v_page.records[n]) order by n)
      from generate_subscripts(v_page.records, 1) n), '[]'),
    'nextCursor', v_page.next_cursor);
end
$$;
comment on function api.face_list(uuid, text, text, integer, text, integer, text, jsonb, text) is 'A page of records in a shape of a face.';
