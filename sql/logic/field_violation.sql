-- What is wrong with a value for a field, as a sentence that goes on from the field's name; null where it fits. p_rule is what
-- field_rule makes of the field; of it, type, options and target count here.
-- A reference is judged with the caller's eyes: a record that he may not read is no such record. (A direct writer may read all.)
create or replace function logic.field_violation(p_workspace_id uuid, p_rule jsonb, p_value jsonb) returns text
language plpgsql stable
as $$
declare
  v_type constant text := p_rule ->> 'type';
  v_is constant text := jsonb_typeof(p_value);
  v_text constant text := case when v_is = 'string' then p_value #>> '{}' end;
begin
  return case v_type
    when 'text' then case when v_is <> 'string' then 'must be text.' end
    when 'long_text' then case when v_is <> 'string' then 'must be text.' end
    when 'number' then case when v_is <> 'number' then 'must be a number.' end
    when 'boolean' then case when v_is <> 'boolean' then 'must be true or false.' end
    when 'json' then null
    when 'select' then logic.option_violation(p_rule -> 'options', p_value)
    when 'multi_select' then logic.options_violation(p_rule -> 'options', p_value)
    when 'date' then case when logic.is_date(v_text) is not true then 'must be a day that exists, as YYYY-MM-DD.' end
    when 'datetime' then case when logic.is_datetime(v_text) is not true then 'must be a time with its zone, as 2026-12-01T09:30:00Z.' end
    when 'url' then case when logic.is_url(v_text) is not true then 'must be a URL that begins with http://, https:// or mailto:.' end
    when 'user' then logic.user_violation(p_workspace_id, p_value)
    when 'reference' then logic.reference_violation(p_workspace_id, p_rule ->> 'target', v_text)
    else format('is of a type that there is not: %s.', v_type)
  end;
end
$$;
comment on function logic.field_violation(uuid, jsonb, jsonb) is 'What is wrong with a value for a field; null: it fits.';
