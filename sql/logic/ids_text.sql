-- The ids that a user or reference field holds, one or an array of them, as text to sort by, in lower case; null where there is none.
create or replace function logic.ids_text(p_value jsonb) returns text
language sql immutable parallel safe
as $$
  select case jsonb_typeof(p_value)
    when 'string' then case when logic.is_uuid(p_value #>> '{}') then lower(p_value #>> '{}') end
    when 'array' then (
      select string_agg(lower(v.id), ' ' order by v.n)
      from jsonb_array_elements_text(p_value) with ordinality v(id, n)
      where logic.is_uuid(v.id))
  end
$$;
comment on function logic.ids_text(jsonb) is 'The ids in a user or reference field.';
