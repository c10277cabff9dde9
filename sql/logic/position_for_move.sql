-- The position of a moved record: see logic.position_beside; naming no neighbour, or itself, leaves it where it is.
-- Raises PT404 unknown_record (a neighbour that the caller can't see), PT422 position_order.
create or replace function logic.position_for_move(p_record core.record, p_before text, p_after text) returns text
language plpgsql volatile
as $$
declare
  v_before core.record;
  v_after core.record;
begin
  if p_before is null and p_after is null then
    return p_record.position;
  end if;
  if p_after is not null then
    v_after := logic.record_find(p_record.workspace_id, p_after);
  end if;
  if p_before is not null then
    v_before := logic.record_find(p_record.workspace_id, p_before);
  end if;
  if p_record.id in (v_before.id, v_after.id) then
    return p_record.position;
  end if;
  return logic.position_beside(p_record, v_before.id, v_after.id);
end
$$;
comment on function logic.position_for_move(core.record, text, text) is 'Where a record goes that is moved between two others.';
