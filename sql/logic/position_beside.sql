-- The position of a record that goes right before another (p_before), right after one (p_after), or between the two.
-- With one of them the other neighbour is read from the index. Where positions have grown long there (each few moves into the same gap
-- cost a digit), or two records have the same, those around are given short ones first.
-- Definer: manual order is one for all, whoever sees which records; the caller has found those that it names.
-- Locks: as logic.positions_spread.
-- Raises PT422 position_order.
create or replace function logic.position_beside(
  p_record core.record, p_before uuid, p_after uuid, p_spread boolean default true) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_after core.record;
  v_before core.record;
  v_low text;
  v_high text;
  v_position text;
begin
  if p_record.workspace_id is distinct from core.entered_workspace() then
    perform logic.raise_refusal('unknown_workspace');
  end if;
  select r.* into v_after from core.record r where r.workspace_id = p_record.workspace_id and r.id = p_after;
  select r.* into v_before from core.record r where r.workspace_id = p_record.workspace_id and r.id = p_before;
  v_low := case when p_after is null then logic.position_neighbour(p_record, v_before, false) else v_after.position end;
  v_high := case when p_before is null then logic.position_neighbour(p_record, v_after, true) else v_before.position end;
  if v_low = v_high and p_spread and (p_before is null or p_after is null or v_after.id < v_before.id) then
    if logic.positions_spread(p_record, v_low) then
      return logic.position_beside(p_record, p_before, p_after, false);
    end if;
  end if;
  v_position := logic.position_between(v_low, v_high);
  if length(v_position) > 30 and p_spread and logic.positions_spread(p_record, v_position) then
    return logic.position_beside(p_record, p_before, p_after, false);
  end if;
  return v_position;
end
$$;
comment on function logic.position_beside(core.record, uuid, uuid, boolean) is 'Where a record goes that is moved beside others.';
