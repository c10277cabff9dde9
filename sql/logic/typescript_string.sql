-- A string literal. JSON is one, but for two line breaks that JSON lets stand.
create or replace function logic.typescript_string(p_text text) returns text
language sql immutable parallel safe
as $$ select replace(replace(to_jsonb(p_text)::text, chr(8232), '\u2028'), chr(8233), '\u2029') $$;
comment on function logic.typescript_string(text) is 'A TypeScript string literal.';
