create or replace function logic.typescript_type(p_field core.field) returns text
language sql immutable parallel safe
as $$
  select case p_field.type
    when 'number' then 'number'
    when 'boolean' then 'boolean'
    when 'select' then u.options
    when 'multi_select' then '(' || u.options || ')[]'
    when 'user' then 'string | string[]'
    when 'json' then 'unknown'
    else 'string'
  end
  from (
    select coalesce(string_agg(logic.typescript_string(o.value), ' | ' order by o.n), 'string') as options
    from jsonb_array_elements_text(logic.option_values(p_field.options)) with ordinality o(value, n)
  ) u
$$;
comment on function logic.typescript_type(core.field) is 'The TypeScript type of a field.';
