-- A lexeme for a value that a field holds as it stands; null for a long one, which is not indexed that way.
create or replace function logic.search_lexeme(p_key text, p_value text) returns text
language sql immutable parallel safe
as $$ select case when octet_length(p_value) <= 200 then 'f:' || p_key || '=' || p_value end $$;
comment on function logic.search_lexeme(text, text) is 'The lexeme of an exact value.';
