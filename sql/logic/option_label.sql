-- What people call the value of a select: the label of its option, else the value itself.
create or replace function logic.option_label(p_options jsonb, p_value jsonb) returns text
language sql immutable parallel safe
as $$
  select coalesce(
    (select o.value ->> 'label' from jsonb_array_elements(p_options) o where o.value -> 'value' = p_value limit 1),
    left(p_value #>> '{}', 100))
$$;
comment on function logic.option_label(jsonb, jsonb) is 'The label of an option.';
