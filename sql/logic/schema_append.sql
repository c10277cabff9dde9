-- Logs that a collection is new or another: streams tell all members, with its definition. Locks: the clock of the workspace.
create or replace function logic.schema_append(p_workspace_id uuid, p_collection text) returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  select logic.notice_append(p_workspace_id, 'schema', 'schema-changed', logic.collection_shape(c) - 'key' || jsonb_build_object('collection', c.key))
  from core.collection c
  where c.workspace_id = p_workspace_id and c.key = p_collection
$$;
comment on function logic.schema_append(uuid, text) is 'Logs a change of a collection.';
