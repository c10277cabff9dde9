-- An operation that is more than a change of a document: move, delete, restore. Answers the record's id. Raises as these do.
create or replace function logic.operation_at_once(p_workspace_id uuid, p_operation jsonb) returns uuid
language plpgsql volatile
as $$
declare
  v_id constant text := coalesce(p_operation ->> 'recordId', p_operation ->> 'id');
begin
  case p_operation ->> 'type'
    when 'move' then
      return ((logic.record_move(p_workspace_id, v_id, p_operation ->> 'field', p_operation -> 'value',
        p_operation ->> 'before', p_operation ->> 'after', null)).record).id;
    when 'place' then
      return (logic.record_place(p_workspace_id, v_id, p_operation ->> 'position')).id;
    when 'delete' then
      return ((logic.record_delete(p_workspace_id, v_id, null)).record).id;
    when 'restore' then
      return ((logic.record_restore(p_workspace_id, v_id)).record).id;
  end case;
end
$$;
comment on function logic.operation_at_once(uuid, jsonb) is 'Moves, deletes or restores a record.';
