-- POST a record. Raises as logic.record_create.
create or replace function api.record_create(
  p_workspace_id uuid, p_collection text, p_data jsonb default '{}', p_id uuid default null) returns jsonb
language plpgsql volatile
as $$
declare
  v_written constant record := logic.record_create(p_workspace_id, p_collection, coalesce(p_data, '{}'), p_id);
begin
  return logic.record_shape(v_written.record) || jsonb_build_object('seq', v_written.seq);
end
$$;
comment on function api.record_create(uuid, text, jsonb, uuid) is 'Creates a record and answers it, with its seq.';
