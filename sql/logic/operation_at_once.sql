-- An operation that is more than a change of a document: move, delete, restore; place, which only undo makes. Answers the record's id, and the
-- conflicts that refuse it (see transaction_basis). Raises as these do.
create or replace function logic.operation_at_once(
  p_workspace_id uuid, p_operation jsonb, p_basis jsonb, out record_id uuid, out conflicts jsonb)
language plpgsql volatile
as $$
declare
  v_record constant core.record := logic.record_find(p_workspace_id, coalesce(p_operation ->> 'recordId', p_operation ->> 'id'));
begin
  perform logic.operation_collection_check(p_workspace_id, p_operation, v_record.collection);
  record_id := v_record.id;
  conflicts := '[]';
  case p_operation ->> 'type'
    when 'move' then
      conflicts := logic.operation_move(v_record, p_operation, p_basis);
    when 'place' then
      perform logic.record_place(p_workspace_id, v_record.id::text, p_operation ->> 'position',
        (p_operation ->> 'before')::uuid, (p_operation ->> 'after')::uuid);
    when 'delete' then
      conflicts := logic.operation_delete(v_record, p_basis);
    when 'restore' then
      perform logic.record_restore(p_workspace_id, v_record.id::text);
  end case;
end
$$;
comment on function logic.operation_at_once(uuid, jsonb, jsonb) is 'Moves, deletes or restores a record.';
