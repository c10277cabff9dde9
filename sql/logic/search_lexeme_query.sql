-- A lexeme as a query; whatever it holds is no operator.
create or replace function logic.search_lexeme_query(p_lexeme text) returns tsquery
language sql immutable strict parallel safe
as $$ select ('''' || replace(replace(p_lexeme, '\', '\\'), '''', '''''') || '''')::tsquery $$;
comment on function logic.search_lexeme_query(text) is 'A lexeme as a query.';
