-- A list with a value at an index (from 0), right before or right after another value, or at its end. A value is in a list once: one
-- that is there already moves to the place that is named, and stays where none is. A neighbour that is not there (any more) is the end.
create or replace function logic.jsonb_list_insert(
  p_list jsonb, p_value jsonb, p_before jsonb, p_after jsonb, p_index integer) returns jsonb
language plpgsql immutable parallel safe
as $$
declare
  v_rest jsonb := logic.jsonb_list_remove(p_list, p_value);
  v_place integer := p_index;
begin
  if p_before is null and p_after is null and p_index is null and p_list @> jsonb_build_array(p_value) then
    return p_list;
  end if;
  if p_before is not null or p_after is not null then
    select e.n - case when p_before is not null then 1 else 0 end into v_place
    from jsonb_array_elements(v_rest) with ordinality e(value, n)
    where e.value = coalesce(p_before, p_after)
    limit 1;
  end if;
  if v_place is null or v_place >= jsonb_array_length(v_rest) then
    return v_rest || jsonb_build_array(p_value);
  end if;
  return jsonb_insert(v_rest, array[greatest(v_place, 0)::text], p_value);
end
$$;
comment on function logic.jsonb_list_insert(jsonb, jsonb, jsonb, jsonb, integer) is 'A list with a value at a place.';
