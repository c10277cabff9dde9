-- The sort keys in a cursor. A cursor only says where to go on, never what may be seen; still, one that this list did not give
-- out (another sort, or forged) is PT422 invalid_cursor.
create or replace function logic.cursor_decode(p_cursor text, p_sort text) returns jsonb
language plpgsql stable
as $$
declare
  v_cursor jsonb;
begin
  if p_cursor is null then
    return null;
  end if;
  begin
    v_cursor := convert_from(decode(
      translate(p_cursor, '-_', '+/') || repeat('=', (4 - length(p_cursor) % 4) % 4), 'base64'), 'UTF8')::jsonb;
  exception when data_exception or untranslatable_character then
    v_cursor := null;
  end;
  if jsonb_typeof(v_cursor) is distinct from 'object' or jsonb_typeof(v_cursor -> 'v') is distinct from 'array'
      or v_cursor ->> 's' is distinct from coalesce(p_sort, '')
      or jsonb_array_length(v_cursor -> 'v') <> cardinality(string_to_array(concat_ws(',', nullif(btrim(p_sort), ''), 'number'), ','))
      or v_cursor -> 'v' ->> -1 is null then
    raise sqlstate 'PT422' using message = 'This cursor does not belong to this list.', hint = 'invalid_cursor';
  end if;
  return v_cursor -> 'v';
end
$$;
comment on function logic.cursor_decode(text, text) is 'The sort keys in the cursor of a list.';
