-- A filter {key: {operator: text}} as a condition over core.record r: eq, ne, gt, gte, lt, lte, in (separated by commas), contains,
-- empty (true or false; an empty list is empty too). ne also holds where the field is absent; all others but empty don't.
-- Dynamic SQL: keys and values stand in it as literals (%L) of the key's type only.
-- Raises PT422 unknown_field, unknown_operator, and invalid_value for a value that is not of the field's type.
create or replace function logic.filter_compile(p_workspace_id uuid, p_collection text, p_filter jsonb) returns text
language plpgsql stable
as $$
declare
  v_term record;
  v_key record;
  v_conditions text[] := '{}';
begin
  for v_term in
    select k.key, o.key as operator, o.value
    from jsonb_each(coalesce(p_filter, '{}')) k
    cross join lateral jsonb_each_text(k.value) o
  loop
    v_key := logic.list_expression(p_workspace_id, p_collection, v_term.key);
    v_conditions := v_conditions || logic.filter_condition(
      v_term.key, v_key.expression, v_key.type, v_key.kind, v_key.options, v_term.operator, v_term.value);
  end loop;
  return coalesce(nullif(array_to_string(v_conditions, ' and '), ''), 'true');
end
$$;
comment on function logic.filter_compile(uuid, text, jsonb) is 'A filter as a condition.';
