-- A document as the steps of a migration leave it (see migration_steps). Values that can't be converted are left out: migration_check
-- refuses them before.
create or replace function logic.document_migrate(p_steps jsonb, p_data jsonb) returns jsonb
language sql immutable parallel safe
as $$
  select p_data - array(select s.value ->> 'from' from jsonb_array_elements(p_steps) s)
    || coalesce(jsonb_object_agg(m."to", m.value) filter (where m.value <> 'null'), '{}')
  from (
    select s.value ->> 'to' as "to",
      coalesce(
        nullif(case when p_data ? (s.value ->> 'from') then logic.value_migrate(s.value, p_data -> (s.value ->> 'from')) end, 'null'),
        s.value -> 'fill') as value
    from jsonb_array_elements(p_steps) s
    where s.value ? 'to'
  ) m
$$;
comment on function logic.document_migrate(jsonb, jsonb) is 'A document after a migration.';
