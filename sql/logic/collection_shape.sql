-- A collection with its fields.
create or replace function logic.collection_shape(p_collection core.collection) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'key', p_collection.key, 'plural', p_collection.plural, 'label', p_collection.label, 'prefix', p_collection.prefix,
    'unknownFields', p_collection.unknown_fields, 'workflow', p_collection.workflow,
    'fields', logic.fields_shape(p_collection.workspace_id, p_collection.key))
$$;
comment on function logic.collection_shape(core.collection) is 'A collection as clients see it.';
