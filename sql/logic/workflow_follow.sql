-- A workflow after a migration: it knows fields and options by their new names, and what leads from or to an option, or asks for a field,
-- that there is no more, is left out. Without its field, or where that is no select any more, there is nothing left of an entry.
create or replace function logic.workflow_follow(p_workflow jsonb, p_steps jsonb) returns jsonb
language sql stable
as $$
  select case when jsonb_typeof(p_workflow) = 'array' then nullif(coalesce(jsonb_agg(
      w.value || jsonb_build_object('field', coalesce(s.value -> 'to', w.value -> 'field'), 'transitions', t.transitions) order by w.n), '[]'), '[]') end
  from jsonb_array_elements(case jsonb_typeof(p_workflow) when 'array' then p_workflow else '[]' end) with ordinality w(value, n)
  left join jsonb_array_elements(p_steps) s on s.value -> 'from' = w.value -> 'field' and s.value ? 'was' or s.value = jsonb_build_object('from', w.value -> 'field')
  cross join lateral (
    select coalesce(jsonb_agg(
      t.value
        || case when t.value ? 'from' then jsonb_build_object('from', coalesce(s.value -> 'renames' -> (t.value ->> 'from'), t.value -> 'from')) else '{}' end
        || case when t.value ? 'to' then jsonb_build_object('to', coalesce(s.value -> 'renames' -> (t.value ->> 'to'), t.value -> 'to')) else '{}' end
        || case when jsonb_typeof(t.value -> 'requires') = 'array' then jsonb_build_object('requires', (
            select coalesce(jsonb_agg(coalesce(f.value -> 'to', q.value) order by q.n), '[]')
            from jsonb_array_elements(t.value -> 'requires') with ordinality q(value, n)
            left join jsonb_array_elements(p_steps) f on f.value -> 'from' = q.value and (f.value ? 'was' or not f.value ? 'to')
            where f.value is null or f.value ? 'to')) else '{}' end
      order by t.n), '[]') as transitions
    from jsonb_array_elements(w.value -> 'transitions') with ordinality t(value, n)
    where not coalesce(s.value -> 'gone' ?| array[t.value ->> 'from', t.value ->> 'to'], false)
  ) t
  where s.value is null or s.value ? 'to' and s.value -> 'rule' ->> 'type' = 'select'
$$;
comment on function logic.workflow_follow(jsonb, jsonb) is 'A workflow after a migration.';
