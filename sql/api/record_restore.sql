-- Restores a deleted record. Raises as logic.record_restore.
create or replace function api.record_restore(p_workspace_id uuid, p_id text) returns jsonb
language plpgsql volatile
as $$
declare
  v_written constant record := logic.record_restore(p_workspace_id, p_id);
begin
  return logic.record_shape(v_written.record) || jsonb_build_object('seq', v_written.seq);
end
$$;
comment on function api.record_restore(uuid, text) is 'Restores a record and answers it, with its seq.';
