-- The position of a moved record: right before p_before's, right after p_after's, or between the two.
-- With one of them the other neighbour is read from the index. Where positions have grown long there (each few moves into the same gap
-- cost a digit), or two records have the same, those around are given short ones first.
-- Locks: as logic.positions_spread.
-- Raises PT404 unknown_record (a neighbour that the caller can't see), PT422 position_order.
create or replace function logic.position_for_move(
  p_record core.record, p_before text, p_after text, p_spread boolean default true) returns text
language plpgsql volatile
as $$
declare
  v_after core.record;
  v_before core.record;
  v_low text;
  v_high text;
  v_position text;
begin
  if p_before is null and p_after is null then
    return p_record.position;
  end if;
  if p_after is not null then
    v_after := logic.record_find(p_record.workspace_id, p_after);
    v_low := v_after.position;
  end if;
  if p_before is not null then
    v_before := logic.record_find(p_record.workspace_id, p_before);
    v_high := v_before.position;
  end if;
  if p_after is null then
    v_low := logic.position_neighbour(p_record, v_before, false);
  elsif p_before is null then
    v_high := logic.position_neighbour(p_record, v_after, true);
  end if;
  if v_low = v_high and p_spread and (p_before is null or p_after is null or v_after.id < v_before.id) then
    if logic.positions_spread(p_record, v_low) then
      return logic.position_for_move(p_record, p_before, p_after, false);
    end if;
  end if;
  v_position := logic.position_between(v_low, v_high);
  if length(v_position) > 30 and p_spread and logic.positions_spread(p_record, v_position) then
    return logic.position_for_move(p_record, p_before, p_after, false);
  end if;
  return v_position;
end
$$;
comment on function logic.position_for_move(core.record, text, text, boolean) is 'Where a record goes that is moved between two others.';
