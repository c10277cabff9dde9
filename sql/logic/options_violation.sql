-- p_options: the values. Without any, every text will do; none may stand twice.
create or replace function logic.options_violation(p_options jsonb, p_value jsonb) returns text
language plpgsql immutable parallel safe
as $$
begin
  if jsonb_typeof(p_value) <> 'array' or jsonb_path_exists(p_value, 'strict $[*] ? (@.type() != "string")') then
    return 'must be an array of texts.';
  end if;
  if (select count(distinct e.value) from jsonb_array_elements_text(p_value) e(value)) < jsonb_array_length(p_value) then
    return 'may hold each text once.';
  end if;
  if not p_options @> p_value then
    return 'may hold only ' || logic.options_phrase(p_options) || '.';
  end if;
  return null;
end
$$;
comment on function logic.options_violation(jsonb, jsonb) is 'What is wrong with a value for a multi_select; null: it fits.';
