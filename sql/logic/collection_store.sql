-- Makes a collection with its fields, behind the others.
create or replace function logic.collection_store(p_collection core.collection, p_fields jsonb) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into core.collection (workspace_id, key, plural, label, prefix, unknown_fields, workflow, position)
  select p_collection.workspace_id, p_collection.key, p_collection.plural, p_collection.label, p_collection.prefix,
    p_collection.unknown_fields, p_collection.workflow, coalesce(max(c.position), 0) + 1
  from core.collection c
  where c.workspace_id = p_collection.workspace_id;
  perform logic.fields_migrate(c, p_fields, '[]')
  from core.collection c
  where c.workspace_id = p_collection.workspace_id and c.key = p_collection.key;
end
$$;
comment on function logic.collection_store(core.collection, jsonb) is 'Makes a collection.';
