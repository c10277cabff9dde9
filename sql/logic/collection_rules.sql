-- The fields of a collection as record__150_fields reads them: rules by key, with the transitions that the workflow has for one;
-- defaults by key; the keys of the required fields.
create or replace function logic.collection_rules(
  p_workspace_id uuid, p_collection text, p_workflow jsonb, out rules jsonb, out defaults jsonb, out required_fields text[])
language sql stable
as $$
  select coalesce(jsonb_object_agg(f.key,
      case when w.transitions is null then logic.field_rule(f)
        else logic.field_rule(f) - 'plain' || jsonb_build_object('transitions', w.transitions, 'initial', f.default_value) end), '{}'),
    coalesce(jsonb_object_agg(f.key, f.default_value) filter (where f.default_value <> 'null'), '{}'),
    coalesce(array_agg(f.key order by f.position, f.key) filter (where f.required), '{}')
  from core.field f
  left join lateral (
    select e.value -> 'transitions' as transitions
    from jsonb_array_elements(case jsonb_typeof(p_workflow) when 'array' then p_workflow else '[]' end) e(value)
    where e.value ->> 'field' = f.key
    limit 1
  ) w on true
  where f.workspace_id = p_workspace_id and f.collection = p_collection
$$;
comment on function logic.collection_rules(uuid, text, jsonb) is 'The rules of a collection, made of its fields and its workflow.';
