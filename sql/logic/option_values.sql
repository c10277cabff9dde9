-- Options are {value, label, color?}, or the bare value; what a document holds is the value.
create or replace function logic.option_values(p_options jsonb) returns jsonb
language sql immutable parallel safe
as $$
  select coalesce(jsonb_agg(case jsonb_typeof(o.value) when 'object' then o.value -> 'value' else o.value end order by o.n), '[]')
  from jsonb_array_elements(p_options) with ordinality o(value, n)
$$;
comment on function logic.option_values(jsonb) is 'The values of the options of a field.';
