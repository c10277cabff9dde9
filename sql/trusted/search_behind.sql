-- Which workspaces the search index is behind in, of p_limit workspaces behind p_after in the order of their ids: what a notification that
-- was lost told of, or what nobody is told of. Answers {behind, next}; next: go on behind this one, null at the end.
create or replace function trusted.search_behind(p_after uuid default null, p_limit integer default 200) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'behind', coalesce(jsonb_agg(w.workspace_id) filter (where w.deleted_at is null and (
      h.seq is null or h.rebuilt is not null or h.seq < p.seq or h.scheme <> logic.search_scheme(w.workspace_id))), '[]'),
    'next', case when count(*) = p_limit then (array_agg(w.workspace_id order by w.workspace_id desc))[1] end)
  from (
    select o.workspace_id, o.deleted_at
    from core.workspace o
    where p_after is null or o.workspace_id > p_after
    order by o.workspace_id
    limit p_limit
  ) w
  left join core.search_head h on h.workspace_id = w.workspace_id
  cross join lateral logic.log_position(w.workspace_id) p
$$;
comment on function trusted.search_behind(uuid, integer) is 'Which workspaces the search index is behind in.';
