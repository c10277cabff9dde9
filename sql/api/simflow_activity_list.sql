-- GET the activity log of a request of Sim-Flow: its last 200 entries, the newest first. details: {text, changes: {<field>: {from, to}}}.
-- Raises PT404 unknown_record.
create or replace function api.simflow_activity_list(p_workspace_id uuid, p_id text) returns jsonb
language plpgsql stable
as $$
declare
  v_record constant core.record := logic.face_record(p_workspace_id, 'request', p_id);
begin
  return jsonb_build_object('activity', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', a.value ->> 'seq',
      'requestId', v_record.id,
      'userId', a.value #> '{actor,id}',
      'userName', a.value #> '{actor,name}',
      'action', a.value -> 'action',
      'details', jsonb_build_object('text', a.value -> 'text', 'changes', logic.activity_changes(a.value)),
      'createdAt', a.value -> 'at') order by a.n), '[]')
    from jsonb_array_elements(logic.activity_page(p_workspace_id, v_record.id, null, 200) -> 'activities') with ordinality a(value, n)));
end
$$;
comment on function api.simflow_activity_list(uuid, text) is 'The activity log of a request.';
