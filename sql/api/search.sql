-- GET what a search finds in a workspace: {results: [{record, rank, highlights, comments?}], nextCursor}, the best first.
-- Raises PT404 unknown_collection, PT422 invalid_cursor, invalid_limit.
create or replace function api.search(
  p_workspace_id uuid, p_q text, p_collection text default null, p_limit integer default null, p_cursor text default null) returns jsonb
language plpgsql stable
as $$
declare
  v_limit constant integer := coalesce(p_limit, 50);
  v_collection constant text := case when p_collection is not null then (logic.collection_find(p_workspace_id, p_collection)).key end;
  v_scheme constant jsonb := logic.search_scheme(p_workspace_id);
  v_marks constant tsquery := (logic.search_query(v_scheme ->> 'language', p_q)).marks;
  v_list constant text := logic.search_list(p_q, v_collection);
  v_answer jsonb;
begin
  if v_limit not between 1 and 200 then
    raise sqlstate 'PT422' using message = 'limit is from 1 to 200.', hint = 'invalid_limit';
  end if;
  select jsonb_build_object(
    'results', coalesce(
      jsonb_agg(logic.search_result(r, f.rank, f.comments, v_scheme, v_marks) order by f.n) filter (where f.n <= v_limit), '[]'),
    'nextCursor', case when max(f.rows) > v_limit then logic.cursor_encode(v_list, (
      array_agg(jsonb_build_array(f.rank, f.created_at, f.record_id, f.workspace_id)) filter (where f.n = v_limit))[1]) end)
  into v_answer
  from (
    select p.*, row_number() over () as n, count(*) over () as rows
    from logic.search_probe(p_workspace_id, p_q, v_collection, logic.cursor_decode(p_cursor, v_list), v_limit + 1) p
  ) f
  join core.record r on r.workspace_id = f.workspace_id and r.id = f.record_id;
  return v_answer;
end
$$;
comment on function api.search(uuid, text, text, integer, text) is 'What a search finds in a workspace.';
