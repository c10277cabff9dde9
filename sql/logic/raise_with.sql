-- Raises a refusal that was caught once more, with further facts. What it says already it keeps.
create or replace function logic.raise_with(p_state text, p_message text, p_hint text, p_detail text, p_facts jsonb) returns void
language plpgsql stable
as $$
begin
  raise exception using errcode = p_state, message = p_message, hint = p_hint, detail = p_facts || coalesce(nullif(p_detail, '')::jsonb, '{}');
end
$$;
comment on function logic.raise_with(text, text, text, text, jsonb) is 'Raises a refusal again, with more facts.';
