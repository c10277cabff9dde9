-- DELETE a record. Raises as logic.record_delete.
create or replace function api.record_delete(p_workspace_id uuid, p_id text, p_if_match text default null) returns jsonb
language plpgsql volatile
as $$
declare
  v_written constant record := logic.record_delete(p_workspace_id, p_id, p_if_match);
begin
  return jsonb_build_object('id', (v_written.record).id, 'seq', v_written.seq);
end
$$;
comment on function api.record_delete(uuid, text, text) is 'Deletes a record softly and answers {id, seq}.';
