-- A page of a collection, in the caller's sight: records in order, and the cursor behind them (null at the end). By keyset, or by
-- page number (from 0) where p_page is given; with p_q only what a search for it finds. Deleted records are left out.
-- Raises PT404 unknown_collection, PT422 unknown_field, unknown_operator, invalid_cursor, invalid_limit.
create or replace function logic.record_page(
  p_workspace_id uuid, p_collection text, p_limit integer, p_cursor text, p_page integer, p_sort text, p_filter jsonb,
  p_q text default null, out records core.record[], out next_cursor text)
language plpgsql stable
as $$
declare
  v_collection constant text := (logic.collection_find(p_workspace_id, p_collection)).key;
  v_limit constant integer := coalesce(p_limit, 50);
  v_found record;
begin
  if v_limit not between 1 and 200 or p_page < 0 then
    raise sqlstate 'PT422' using message = 'limit is from 1 to 200, page from 0.', hint = 'invalid_limit';
  end if;
  v_found := logic.record_probe(p_workspace_id, v_collection, p_filter, p_sort, logic.cursor_decode(p_cursor, p_sort),
    v_limit, coalesce(p_page, 0)::bigint * v_limit, p_q);
  records := array(
    select r
    from unnest(v_found.ids) with ordinality i(id, n)
    join core.record r on r.workspace_id = p_workspace_id and r.id = i.id
    order by i.n);
  next_cursor := case when v_found.next_values is not null then logic.cursor_encode(p_sort, v_found.next_values) end;
end
$$;
comment on function logic.record_page(uuid, text, integer, text, integer, text, jsonb, text) is 'A page of records.';
