-- p_options: the values. Without any, every text will do.
create or replace function logic.option_violation(p_options jsonb, p_value jsonb) returns text
language sql immutable parallel safe
as $$
  select case
    when p_options is null then case when jsonb_typeof(p_value) <> 'string' then 'must be text.' end
    when jsonb_typeof(p_value) in ('array', 'object') or not p_options @> p_value then 'must be one of ' || logic.options_phrase(p_options) || '.'
  end
$$;
comment on function logic.option_violation(jsonb, jsonb) is 'What is wrong with a value for a select; null: it fits.';
