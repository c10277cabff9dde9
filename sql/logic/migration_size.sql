-- How many records a migration would change, deleted ones among them.
create or replace function logic.migration_size(p_workspace_id uuid, p_collection text, p_steps jsonb) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select count(*)
  from core.record r
  where r.workspace_id = p_workspace_id and r.collection = p_collection and logic.document_migrate(p_steps, r.data) <> r.data
$$;
comment on function logic.migration_size(uuid, text, jsonb) is 'How many records a migration would change.';
