-- POST /api/tasks of Atlas. Raises as logic.record_create.
create or replace function api.atlas_task_create(p_workspace_id uuid, p_data jsonb default '{}', p_id uuid default null) returns jsonb
language plpgsql volatile
as $$
declare
  v_written constant record := logic.record_create(p_workspace_id, 'task', coalesce(p_data, '{}'), p_id);
begin
  return faces.atlas_task(v_written.record) || jsonb_build_object('seq', v_written.seq);
end
$$;
comment on function api.atlas_task_create(uuid, jsonb, uuid) is 'Creates a task and answers it as Atlas knows it.';
