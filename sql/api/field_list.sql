-- GET the fields of a collection. Raises PT404 unknown_collection.
create or replace function api.field_list(p_workspace_id uuid, p_collection text) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'fields', logic.fields_shape(p_workspace_id, (logic.collection_find(p_workspace_id, p_collection)).key), 'nextCursor', null)
$$;
comment on function api.field_list(uuid, text) is 'The fields of a collection.';
