-- A document with a value at a path: {field}, or {field, key, …} within one. Objects on the way are made where they are missing; in a
-- list a key is an index. null as value takes away what is there.
-- Raises PT422 invalid_path where the way leads through something else than objects and lists.
create or replace function logic.jsonb_put(p_data jsonb, p_path text[], p_value jsonb) returns jsonb
language plpgsql immutable parallel safe
as $$
begin
  if p_value is null or p_value = 'null' then
    return p_data #- p_path;
  end if;
  for n in 1 .. cardinality(p_path) - 1 loop
    if p_data #> p_path[1:n] is null then
      p_data := jsonb_set(p_data, p_path[1:n], '{}');
    elsif jsonb_typeof(p_data #> p_path[1:n]) not in ('object', 'array') then
      raise sqlstate 'PT422' using message = format('There is nothing within %s.', array_to_string(p_path[1:n], '.')), hint = 'invalid_path';
    end if;
  end loop;
  return jsonb_set(p_data, p_path, p_value);
end
$$;
comment on function logic.jsonb_put(jsonb, text[], jsonb) is 'A document with a value at a path.';
