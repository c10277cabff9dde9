-- Where an operation works: `path`, or the field `key`; null for a merge, which is of the whole document.
-- Raises PT422 invalid_operation where it says neither.
create or replace function logic.operation_path(p_operation jsonb) returns text[]
language plpgsql immutable parallel safe
as $$
begin
  if p_operation ->> 'type' = 'merge' then
    return null;
  end if;
  if jsonb_typeof(p_operation -> 'path') = 'array' and p_operation -> 'path' <> '[]' then
    return array(select jsonb_array_elements_text(p_operation -> 'path'));
  end if;
  if p_operation ->> 'key' is null then
    raise sqlstate 'PT422' using message = 'An operation on a field names it: key, or path.', hint = 'invalid_operation';
  end if;
  return array[p_operation ->> 'key'];
end
$$;
comment on function logic.operation_path(jsonb) is 'The path of an operation.';
