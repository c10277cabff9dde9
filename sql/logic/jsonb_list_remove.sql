-- A list without a value.
create or replace function logic.jsonb_list_remove(p_list jsonb, p_value jsonb) returns jsonb
language sql immutable parallel safe
as $$
  select case when p_list @> jsonb_build_array(p_value) then (
    select coalesce(jsonb_agg(e.value order by e.n), '[]')
    from jsonb_array_elements(p_list) with ordinality e(value, n)
    where e.value <> p_value
  ) else p_list end
$$;
comment on function logic.jsonb_list_remove(jsonb, jsonb) is 'A list without a value.';
