-- GET /api/fields of Atlas: the field configurations of its tasks.
create or replace function api.atlas_field_list(p_workspace_id uuid) returns jsonb
language sql stable
as $$ select jsonb_build_object('fields', logic.fields_shape(p_workspace_id, 'task')) $$;
comment on function api.atlas_field_list(uuid) is 'The fields of the tasks of a workspace.';
