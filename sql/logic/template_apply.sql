-- Fills a new workspace from the definition of a template: roles, collections, fields.
create or replace function logic.template_apply(p_workspace_id uuid, p_definition jsonb) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into core.role (workspace_id, key, label, read, edit, may, position)
  select p_workspace_id, r.value ->> 'key', r.value ->> 'label',
    array(select jsonb_array_elements_text(r.value -> 'read')),
    array(select jsonb_array_elements_text(r.value -> 'edit')),
    array(select jsonb_array_elements_text(r.value -> 'may')),
    r.n
  from jsonb_array_elements(p_definition -> 'roles') with ordinality r(value, n);
  insert into core.collection (workspace_id, key, plural, label, prefix, workflow, unknown_fields, position)
  select p_workspace_id, c.value ->> 'key', c.value ->> 'plural', c.value ->> 'label', c.value ->> 'prefix', c.value -> 'workflow',
    coalesce(c.value ->> 'unknownFields', 'keep'), c.n
  from jsonb_array_elements(p_definition -> 'collections') with ordinality c(value, n);
  insert into core.field (workspace_id, collection, key, label, type, required, options, default_value, target, on_delete, position)
  select p_workspace_id, c.value ->> 'key', f.value ->> 'key', f.value ->> 'label', f.value ->> 'type',
    coalesce((f.value ->> 'required')::boolean, false), coalesce(f.value -> 'options', '[]'), f.value -> 'default',
    f.value ->> 'target', coalesce(f.value ->> 'onDelete', 'unset'), f.n
  from jsonb_array_elements(p_definition -> 'collections') c(value)
  cross join lateral jsonb_array_elements(c.value -> 'fields') with ordinality f(value, n);
end
$$;
comment on function logic.template_apply(uuid, jsonb) is 'Makes the roles, collections and fields of a template in a new workspace.';
