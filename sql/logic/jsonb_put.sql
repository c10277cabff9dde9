-- A document with a value at a path: {field}, or {field, key, …} within one. Objects on the way are made where they are missing; in a
-- list a key is an index. null as value takes away what is there.
-- Raises PT422 invalid_path where the way leads through something else than objects and lists, or into a list by a name.
create or replace function logic.jsonb_put(p_data jsonb, p_path text[], p_value jsonb) returns jsonb
language plpgsql immutable parallel safe
as $$
declare
  v_value constant jsonb := nullif(p_value, 'null');
  v_within text;
begin
  for n in 1 .. cardinality(p_path) - 1 loop
    v_within := jsonb_typeof(p_data #> p_path[1:n]);
    if v_within = 'array' and p_path[n + 1] !~ '^-?[0-9]{1,9}$' then
      raise sqlstate 'PT422' using message = format('%s is a list, whose places are numbers.', array_to_string(p_path[1:n], '.')), hint = 'invalid_path';
    elsif v_value is null then
      continue;
    elsif v_within is null then
      p_data := jsonb_set(p_data, p_path[1:n], '{}');
    elsif v_within not in ('object', 'array') then
      raise sqlstate 'PT422' using message = format('There is nothing within %s.', array_to_string(p_path[1:n], '.')), hint = 'invalid_path';
    end if;
  end loop;
  return case when v_value is null then p_data #- p_path else jsonb_set(p_data, p_path, v_value) end;
end
$$;
comment on function logic.jsonb_put(jsonb, text[], jsonb) is 'A document with a value at a path.';
