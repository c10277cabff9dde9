-- GET /api/fields of Atlas: the field configurations of its tasks, whose options are bare values there.
create or replace function api.atlas_field_list(p_workspace_id uuid) returns jsonb
language sql stable
as $$
  select jsonb_build_object('fields', coalesce(jsonb_agg(f.value || jsonb_build_object('options', logic.option_values(f.value -> 'options')) order by f.n), '[]'))
  from jsonb_array_elements(logic.fields_shape(p_workspace_id, 'task')) with ordinality f(value, n)
$$;
comment on function api.atlas_field_list(uuid) is 'The fields of the tasks of a workspace.';
