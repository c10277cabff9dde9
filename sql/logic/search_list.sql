-- The name of the list that a search gives out, in its cursors: they are good for no other. It has four keys (see cursor_decode).
create or replace function logic.search_list(p_q text, p_collection text) returns text
language sql immutable parallel safe
as $$ select 'search,' || md5(concat_ws('/', p_collection, p_q)) || ',id' $$;
comment on function logic.search_list(text, text) is 'The name of a search in its cursors.';
