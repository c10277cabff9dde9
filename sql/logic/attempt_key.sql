create or replace function logic.attempt_key(p_key text) returns text
language sql immutable parallel safe
as $$ select encode(sha256(convert_to(lower(p_key), 'UTF8')), 'hex') $$;
comment on function logic.attempt_key(text) is 'What an attempt is counted under.';
