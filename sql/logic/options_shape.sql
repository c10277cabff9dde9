-- Options are stored as {value, label, color?} or as the bare value; clients always get the former.
create or replace function logic.options_shape(p_options jsonb) returns jsonb
language sql immutable parallel safe
as $$
  select coalesce(jsonb_agg(
    case jsonb_typeof(o.value)
      when 'object' then jsonb_build_object('value', o.value -> 'value', 'label', coalesce(nullif(o.value -> 'label', 'null'), o.value -> 'value'))
        || case when o.value ->> 'color' is not null then jsonb_build_object('color', o.value -> 'color') else '{}' end
      else jsonb_build_object('value', o.value, 'label', o.value)
    end order by o.n), '[]')
  from jsonb_array_elements(p_options) with ordinality o(value, n)
$$;
comment on function logic.options_shape(jsonb) is 'The options of a field as clients see them.';
