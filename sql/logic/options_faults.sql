-- What is wrong with the options of the fields of a definition. A multi_select without options holds any texts.
create or replace function logic.options_faults(p_fields jsonb) returns table (path text, message text)
language sql immutable parallel safe
as $$
  with fields as (
    select f.n - 1 as i, f.value ->> 'type' as type, coalesce(nullif(f.value -> 'options', 'null'), '[]') as options
    from jsonb_array_elements(p_fields) with ordinality f(value, n)
  ), values as (
    select f.i, o.n - 1 as j, coalesce(o.value ->> 'value', o.value #>> '{}') as value,
      row_number() over (partition by f.i, coalesce(o.value ->> 'value', o.value #>> '{}') order by o.n) as nth
    from fields f
    cross join lateral jsonb_array_elements(f.options) with ordinality o(value, n)
  )
  select format('fields.%s.options', f.i), case
      when f.type = 'select' and f.options = '[]' then 'There is nothing to choose without options.'
      when f.type not in ('select', 'multi_select') then 'Only “select” and “multi_select” have options.'
      else 'A field may have 200 options at most.'
    end
  from fields f
  where f.type = 'select' and f.options = '[]'
    or f.type not in ('select', 'multi_select') and f.type = any (logic.field_types()) and f.options <> '[]'
    or jsonb_array_length(f.options) > 200
  union all
  select format('fields.%s.options.%s', v.i, v.j), case when v.nth > 1 then 'This option stands above.'
    when v.value = '*' then 'In workflows * stands for every option.' else 'An option has 1 to 200 characters, and not only spaces.' end
  from values v
  where v.nth > 1 or v.value = '*' or v.value !~ '\S' or length(v.value) > 200
$$;
comment on function logic.options_faults(jsonb) is 'What is wrong with the options of a definition.';
