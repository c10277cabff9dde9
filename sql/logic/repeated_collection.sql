-- The collection of the change that a repeated transaction ended with: how one that was renamed finds what it renamed.
create or replace function logic.repeated_collection(p_workspace_id uuid) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select c.patch ->> 'collection'
  from core.change c
  where c.workspace_id = p_workspace_id and c.seq = logic.repeated_seq() and c.action = 'schema'
$$;
comment on function logic.repeated_collection(uuid) is 'The collection that a repeated transaction changed.';
