-- The fields of a collection, in their order.
create or replace function logic.fields_shape(p_workspace_id uuid, p_collection text) returns jsonb
language sql stable
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'key', f.key, 'label', f.label, 'type', f.type, 'required', f.required, 'options', logic.options_shape(f.options),
    'default', f.default_value, 'target', f.target, 'onDelete', f.on_delete, 'position', f.position) order by f.position, f.key), '[]')
  from core.field f
  where f.workspace_id = p_workspace_id and f.collection = p_collection
$$;
comment on function logic.fields_shape(uuid, text) is 'The fields of a collection as clients see them.';
