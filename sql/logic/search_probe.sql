-- Finds a page of a search in the entered workspace (see search_find). Definer, since nobody else may read the search index, so it
-- checks workspace and rights itself; whoever shows the records reads them again under the policies.
create or replace function logic.search_probe(p_workspace_id uuid, p_q text, p_collection text, p_after jsonb, p_limit integer)
returns table (workspace_id uuid, record_id uuid, rank real, created_at timestamptz, comments uuid[])
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if p_workspace_id is distinct from core.entered_workspace() then
    perform logic.raise_refusal('unknown_workspace');
  end if;
  return query
    select * from logic.search_find(p_workspace_id, current_setting('rowcast.read', true), p_q, p_collection, p_after, p_limit);
end
$$;
comment on function logic.search_probe(uuid, text, text, jsonb, integer) is 'Finds a page of a search in the entered workspace.';
