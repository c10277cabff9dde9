-- Moves a record within its order, between the columns of a board, or both. Raises as logic.record_move.
create or replace function api.record_move(
  p_workspace_id uuid, p_id text, p_field text default null, p_value jsonb default null,
  p_before text default null, p_after text default null, p_if_match text default null) returns jsonb
language plpgsql volatile
as $$
declare
  v_written constant record := logic.record_move(p_workspace_id, p_id, p_field, p_value, p_before, p_after, p_if_match);
begin
  return logic.record_shape(v_written.record) || jsonb_build_object('seq', v_written.seq);
end
$$;
comment on function api.record_move(uuid, text, text, jsonb, text, text, text) is 'Moves a record and answers it, with its seq.';
