-- The fields of a definition as rows, in its order, with what they were given as. source: the key that a field had until now; null for a
-- new one. A label that is not given stays, or is the key. Checks nothing (see fields_faults).
create or replace function logic.fields_read(p_workspace_id uuid, p_collection text, p_fields jsonb)
returns table (n integer, source text, given jsonb, field core.field)
language sql stable
as $$
  select g.n::integer, o.key, g.value,
    jsonb_populate_record(null::core.field, jsonb_build_object(
      'workspace_id', p_workspace_id, 'collection', p_collection, 'key', g.value ->> 'key',
      'label', coalesce(g.value ->> 'label', o.label, g.value ->> 'key'), 'type', g.value ->> 'type',
      'required', coalesce((g.value ->> 'required')::boolean, false),
      'options', logic.options_shape(coalesce(nullif(g.value -> 'options', 'null'), '[]')),
      'default_value', nullif(g.value -> 'default', 'null'), 'position', g.n,
      'target', coalesce(t.key, g.value ->> 'target'), 'on_delete', coalesce(g.value ->> 'onDelete', 'unset')))
  from jsonb_array_elements(p_fields) with ordinality g(value, n)
  left join core.field o on o.workspace_id = p_workspace_id and o.collection = p_collection
    and o.key = case
      when g.value ->> 'renamedFrom' <> g.value ->> 'key' and exists (
        select from core.field s
        where s.workspace_id = p_workspace_id and s.collection = p_collection and s.key = g.value ->> 'renamedFrom') then g.value ->> 'renamedFrom'
      when not exists (
        select from jsonb_array_elements(p_fields) x(value)
        where x.value ->> 'renamedFrom' = g.value ->> 'key' and x.value ->> 'key' <> g.value ->> 'key') then g.value ->> 'key'
    end
  left join core.collection t on t.workspace_id = p_workspace_id and g.value ->> 'target' in (t.key, t.plural)
  order by g.n
$$;
comment on function logic.fields_read(uuid, text, jsonb) is 'The fields of a definition as rows.';
