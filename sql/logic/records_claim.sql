-- Takes all records of a collection, so that what is to be done to them is not begun in vain.
-- Locks: records, without waiting. Raises 55P03 where somebody else holds one (the call is offered again).
create or replace function logic.records_claim(p_workspace_id uuid, p_collection text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform from core.record r
  where r.workspace_id = p_workspace_id and r.collection = p_collection
  for update nowait;
end
$$;
comment on function logic.records_claim(uuid, text) is 'Takes all records of a collection, or none.';
