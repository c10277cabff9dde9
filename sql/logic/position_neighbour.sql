-- The position of the record next to another in manual order, in a record's collection and that record left out; null at either end.
-- Definer: manual order is one for all, whoever sees which records.
create or replace function logic.position_neighbour(p_record core.record, p_other core.record, p_following boolean) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if p_record.workspace_id is distinct from core.entered_workspace() then
    perform logic.raise_refusal('unknown_workspace');
  end if;
  if p_following then
    return (select r.position from core.record r
      where r.workspace_id = p_record.workspace_id and r.collection = p_record.collection
        and (r.position, r.id) > (p_other.position, p_other.id) and r.id <> p_record.id
      order by r.position, r.id limit 1);
  end if;
  return (select r.position from core.record r
    where r.workspace_id = p_record.workspace_id and r.collection = p_record.collection
      and (r.position, r.id) < (p_other.position, p_other.id) and r.id <> p_record.id
    order by r.position desc, r.id desc limit 1);
end
$$;
comment on function logic.position_neighbour(core.record, core.record, boolean) is 'The next position after or before another record.';
