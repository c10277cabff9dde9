-- GET /api/tasks of Atlas: {tasks, page, perPage, hasMore}, 50 a page. Raises as logic.record_page.
create or replace function api.atlas_task_list(
  p_workspace_id uuid, p_page integer default null, p_sort text default null, p_filter jsonb default null,
  p_q text default null) returns jsonb
language plpgsql stable
as $$
declare
  v_page constant record := logic.record_page(p_workspace_id, 'task', 50, null, coalesce(p_page, 0), p_sort, p_filter, p_q);
begin
  return jsonb_build_object(
    'tasks', coalesce((select jsonb_agg(faces.atlas_task(v_page.records[n]) order by n)
      from generate_subscripts(v_page.records, 1) n), '[]'),
    'page', coalesce(p_page, 0),
    'perPage', 50,
    'hasMore', v_page.next_cursor is not null);
end
$$;
comment on function api.atlas_task_list(uuid, integer, text, jsonb, text) is 'A page of tasks as Atlas knows them.';
