-- What is wrong with a workflow for these fields: it names select fields, their options (* and null may stand in from, null in to), roles
-- of the workspace, and fields that a step requires.
create or replace function logic.workflow_faults(p_workspace_id uuid, p_fields core.field[], p_workflow jsonb)
returns table (path text, message text)
language sql stable
as $$
  with entries as (
    select format('workflow.%s', w.n - 1) as path, w.value ->> 'field' as key, w.value -> 'transitions' as transitions,
      row_number() over (partition by w.value ->> 'field' order by w.n) as nth, f.type, logic.option_values(f.options) as options
    from jsonb_array_elements(coalesce(nullif(p_workflow, 'null'), '[]')) with ordinality w(value, n)
    left join unnest(p_fields) f on f.key = w.value ->> 'field'
  ), steps as (
    select format('%s.transitions.%s', e.path, t.n - 1) as path, t.value, e.options
    from entries e
    cross join lateral jsonb_array_elements(e.transitions) with ordinality t(value, n)
    where e.type = 'select'
  )
  select e.path || '.field', case when e.nth > 1 then 'This field stands above.' else 'There is no field of this key whose type is “select”.' end
  from entries e
  where e.nth > 1 or e.type is distinct from 'select'
  union all
  select format('%s.%s', s.path, e.name), 'There is no such option.'
  from steps s
  cross join (values ('from'), ('to')) e(name)
  where s.value ->> e.name is not null and not s.options ? (s.value ->> e.name) and not (e.name = 'from' and s.value ->> 'from' = '*')
  union all
  select format('%s.roles.%s', s.path, r.n - 1), 'There is no such role.'
  from steps s
  cross join lateral jsonb_array_elements_text(coalesce(nullif(s.value -> 'roles', 'null'), '[]')) with ordinality r(key, n)
  where not exists (select from core.role o where o.workspace_id = p_workspace_id and o.key = r.key)
  union all
  select format('%s.requires.%s', s.path, q.n - 1), 'There is no such field.'
  from steps s
  cross join lateral jsonb_array_elements_text(coalesce(nullif(s.value -> 'requires', 'null'), '[]')) with ordinality q(key, n)
  where not exists (select from unnest(p_fields) f where f.key = q.key)
$$;
comment on function logic.workflow_faults(uuid, core.field[], jsonb) is 'What is wrong with a workflow.';
