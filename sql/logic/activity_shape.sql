-- A change as an entry of the activity: {seq, at, actor: {id, name} | null, action, collection, recordId, displayId, transactionId,
-- text, changes: [{key, label, from, to}]}. `text` is a sentence whose subject is the actor.
create or replace function logic.activity_shape(
  p_change core.change, p_display_id text, p_actor_name text, p_read_before boolean) returns jsonb
language plpgsql stable
as $$
declare
  v_of_document constant boolean := logic.change_is_of_document(p_change);
  v_called constant text := coalesce(p_display_id, 'a record');
  v_fields constant jsonb := case when v_of_document then logic.activity_fields(p_change, p_read_before) end;
begin
  return jsonb_build_object(
    'seq', p_change.seq,
    'at', logic.utc(p_change.at),
    'actor', case when p_change.actor_id is not null
      then jsonb_build_object('id', p_change.actor_id, 'name', p_actor_name) end,
    'action', case when v_of_document then p_change.action else p_change.patch ->> 'event' end,
    'collection', p_change.collection,
    'recordId', case when p_change.collection is not null then p_change.record_id end,
    'displayId', p_display_id,
    'transactionId', p_change.transaction_id,
    'text', case
      when v_of_document then logic.activity_document_text(p_change.action, v_called, v_fields)
      when p_change.action = 'access' then logic.activity_access_text(p_change)
      else logic.activity_notice_text(p_change, v_called)
    end,
    'changes', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'key', f.value -> 'key', 'label', f.value -> 'label', 'from', f.value -> 'from', 'to', f.value -> 'to') order by f.n), '[]')
      from jsonb_array_elements(v_fields) with ordinality f(value, n)));
end
$$;
comment on function logic.activity_shape(core.change, text, text, boolean) is 'A change as an entry of the activity.';
