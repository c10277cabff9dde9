-- What `rowcast compact` has to do: {before, workspaces: [{id, number, name, floor, target, unread}]}, before being the instant p_seconds ago.
-- target: up to which seq the log of the workspace can be trimmed; unread: how many older changes stay until the search index has read them.
-- p_workspaces: their ids, numbers, slugs or names; null: all there are.
-- Raises PT404 unknown_workspace, PT422 ambiguous_workspace.
create or replace function trusted.compact_plan(p_seconds double precision, p_workspaces text[] default null) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_before constant timestamptz := clock_timestamp() - make_interval(secs => p_seconds);
  v_ids constant uuid[] := array(select logic.workspace_named(n.name) from unnest(p_workspaces) n(name));
begin
  return jsonb_build_object('before', v_before, 'workspaces', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', w.workspace_id,
      'number', w.number,
      'name', w.name,
      'floor', k.floor,
      'target', t.target,
      'unread', greatest(0, logic.seq_before(w.workspace_id, v_before) - h.seq)) order by w.number), '[]')
    from core.workspace w
    join core.clock k on k.workspace_id = w.workspace_id
    left join core.search_head h on h.workspace_id = w.workspace_id
    cross join lateral (select logic.compact_target(w.workspace_id, v_before) as target offset 0) t
    where w.deleted_at is null and (p_workspaces is null or w.workspace_id = any (v_ids))));
end
$$;
comment on function trusted.compact_plan(double precision, text[]) is 'What there is to trim.';
