-- The position of a moved record: right before p_before's, right after p_after's, or between the two.
-- With one of them the other neighbour is read from the index.
-- Raises PT404 unknown_record (a neighbour that the caller can't see), PT422 position_order.
create or replace function logic.position_for_move(p_record core.record, p_before text, p_after text) returns text
language plpgsql stable
as $$
declare
  v_low text;
  v_high text;
begin
  if p_before is null and p_after is null then
    return p_record.position;
  end if;
  v_low := case when p_after is not null then (logic.record_find(p_record.workspace_id, p_after)).position end;
  v_high := case when p_before is not null then (logic.record_find(p_record.workspace_id, p_before)).position end;
  if p_after is null then
    v_low := logic.position_neighbour(p_record, v_high, false);
  elsif p_before is null then
    v_high := logic.position_neighbour(p_record, v_low, true);
  end if;
  return logic.position_between(v_low, v_high);
end
$$;
comment on function logic.position_for_move(core.record, text, text) is 'Where a record goes that is moved between two others.';
