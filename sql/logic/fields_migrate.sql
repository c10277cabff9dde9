-- Makes these the fields of a collection, and takes all its documents with them, deleted ones too, in one go: first the schema in the log,
-- then each document that changes, as a change like any other. The migration has judged the values itself (see migration_check), against the
-- new rules; what a document held before that fits no rule stays as it is. So meanwhile the collection has no rules and no workflow:
-- a document that is renamed in is not a step of a workflow.
-- Locks: as documents_migrate.
create or replace function logic.fields_migrate(p_collection core.collection, p_fields jsonb, p_steps jsonb) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_workspace_id constant uuid := p_collection.workspace_id;
  v_fields constant core.field[] := array(
    select r.field from logic.fields_read(v_workspace_id, p_collection.key, p_fields) r order by r.n);
begin
  perform logic.exempt_set('rowcast.migrating', v_workspace_id, true);
  delete from core.field f where f.workspace_id = v_workspace_id and f.collection = p_collection.key;
  insert into core.field select f.* from unnest(v_fields) f;
  perform logic.exempt_set('rowcast.migrating', v_workspace_id, false);
  update core.collection c
  set workflow = logic.workflow_follow(p_collection.workflow, p_steps)
  where c.workspace_id = v_workspace_id and c.key = p_collection.key;
  perform logic.schema_append(v_workspace_id, p_collection.key);
  update core.collection c
  set rules = '{}', defaults = '{}', required_fields = '{}', unknown_fields = 'keep'
  where c.workspace_id = v_workspace_id and c.key = p_collection.key;
  perform logic.documents_migrate(v_workspace_id, p_collection.key, p_steps, array(
    select f.key from unnest(v_fields) f where f.type = 'user' order by f.key));
  update core.collection c
  set unknown_fields = p_collection.unknown_fields
  where c.workspace_id = v_workspace_id and c.key = p_collection.key;
  perform logic.collection_remember(v_workspace_id, p_collection.key);
end
$$;
comment on function logic.fields_migrate(core.collection, jsonb, jsonb) is 'Replaces the fields of a collection and migrates its documents.';
