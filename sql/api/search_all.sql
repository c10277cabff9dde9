-- GET what a search finds in all workspaces of the caller: {results: [{workspaceId, record, rank, highlights, comments?}], nextCursor}.
-- Definer, since it spans tenants: each workspace is searched with the rights that logic.rights gives the caller there, and with no others.
-- Raises PT401 unauthenticated, PT422 invalid_cursor, invalid_limit.
create or replace function api.search_all(p_q text, p_limit integer default null, p_cursor text default null) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor constant uuid := logic.sign_in_check(p_token_too => true);
  v_limit constant integer := coalesce(p_limit, 50);
  v_list constant text := logic.search_list(p_q, null);
  v_after constant jsonb := logic.cursor_decode(p_cursor, v_list);
  v_answer jsonb;
begin
  if v_limit not between 1 and 200 then
    raise sqlstate 'PT422' using message = 'limit is from 1 to 200.', hint = 'invalid_limit';
  end if;
  select jsonb_build_object(
    'results', coalesce(jsonb_agg(jsonb_build_object('workspaceId', f.workspace_id)
        || logic.search_result(r, f.rank, f.comments, s.scheme, (logic.search_query(s.scheme ->> 'language', p_q)).marks) order by f.n)
      filter (where f.n <= v_limit), '[]'),
    'nextCursor', case when max(f.rows) > v_limit then logic.cursor_encode(v_list, (
      array_agg(jsonb_build_array(f.rank, f.created_at, f.record_id, f.workspace_id)) filter (where f.n = v_limit))[1]) end)
  into v_answer
  from (
    select p.*, row_number() over (order by p.rank desc, p.created_at desc, p.record_id desc, p.workspace_id desc) as n, count(*) over () as rows
    from core.member m
    cross join lateral logic.rights(m.workspace_id, v_actor, logic.entered_session()) x
    cross join lateral logic.search_find(m.workspace_id, x.read, p_q, null, v_after, v_limit + 1) p
    where m.account_id = v_actor
    order by n
    limit v_limit + 1
  ) f
  join core.record r on r.workspace_id = f.workspace_id and r.id = f.record_id
  cross join lateral (select logic.search_scheme(f.workspace_id) as scheme) s;
  return v_answer;
end
$$;
comment on function api.search_all(text, integer, text) is 'What a search finds in all workspaces of the caller.';
