-- The position by which a record is back at a place where it stood: the one that it had, as long as that lies behind the record that
-- stood before it (p_after) and before the one behind it (p_before), else a new one beside them: positions may have been given anew since.
-- Null stands for an end, or for a record that is no guide, since others have moved it.
-- Definer: manual order is one for all, whoever sees which records.
-- Locks: as logic.positions_spread.
create or replace function logic.position_back(p_record core.record, p_position text, p_before uuid, p_after uuid) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_before core.record;
  v_after core.record;
begin
  if p_record.workspace_id is distinct from core.entered_workspace() then
    perform logic.raise_refusal('unknown_workspace');
  end if;
  select r.* into v_before from core.record r where r.workspace_id = p_record.workspace_id and r.id = p_before;
  select r.* into v_after from core.record r where r.workspace_id = p_record.workspace_id and r.id = p_after;
  if (v_after.id is null or (v_after.position, v_after.id) < (p_position, p_record.id))
      and (v_before.id is null or (p_position, p_record.id) < (v_before.position, v_before.id)) then
    return p_position;
  end if;
  return logic.position_beside(p_record, case when v_after.id is null then v_before.id end, v_after.id);
end
$$;
comment on function logic.position_back(core.record, text, uuid, uuid) is 'A position back at an old place.';
