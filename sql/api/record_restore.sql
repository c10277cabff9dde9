-- Restores a deleted record; with p_at gives it the document that it had at that seq. Raises as logic.record_restore and logic.record_revert.
create or replace function api.record_restore(p_workspace_id uuid, p_id text, p_at bigint default null) returns jsonb
language plpgsql volatile
as $$
declare
  v_written record;
begin
  if p_at is null then
    v_written := logic.record_restore(p_workspace_id, p_id);
  else
    v_written := logic.record_revert(p_workspace_id, p_id, p_at);
  end if;
  return logic.record_shape(v_written.record) || jsonb_build_object('seq', v_written.seq);
end
$$;
comment on function api.record_restore(uuid, text, bigint) is 'Restores a record, or what it was at a seq, and answers it, with its seq.';
