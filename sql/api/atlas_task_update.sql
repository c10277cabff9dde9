-- PATCH /api/tasks/{id} of Atlas: the last writer wins per field. Raises as logic.record_update.
create or replace function api.atlas_task_update(
  p_workspace_id uuid, p_id text, p_patch jsonb, p_base_version integer default null, p_if_match text default null) returns jsonb
language plpgsql volatile
as $$
declare
  v_written constant record := logic.record_update(p_workspace_id, p_id, p_patch, p_base_version, p_if_match);
begin
  return faces.atlas_task(v_written.record) || jsonb_build_object('seq', v_written.seq);
end
$$;
comment on function api.atlas_task_update(uuid, text, jsonb, integer, text) is 'Merges a patch into a task and answers it as Atlas knows it.';
