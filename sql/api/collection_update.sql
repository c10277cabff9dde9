-- PATCH a collection: label, plural, whether its documents may hold other keys than its fields, and its workflow (null: none).
-- Documents stay as they are: the rules count for what is written from then on.
-- Raises PT403 not_permitted, PT404 unknown_collection, PT422 invalid_fields.
create or replace function api.collection_update(
  p_workspace_id uuid, p_collection text, p_label text default null, p_plural text default null, p_unknown_fields text default null,
  p_workflow jsonb default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_before constant core.collection := logic.collection_find(p_workspace_id, coalesce(logic.repeated_collection(p_workspace_id), p_collection));
  v_after core.collection := v_before;
begin
  if logic.repeated_seq() is null then
    perform logic.manage_check();
    v_after.label := coalesce(p_label, v_before.label);
    v_after.plural := coalesce(p_plural, v_before.plural);
    v_after.unknown_fields := coalesce(p_unknown_fields, v_before.unknown_fields);
    v_after.workflow := nullif(nullif(coalesce(p_workflow, v_before.workflow), 'null'), '[]');
    perform logic.raise_definition_faults((
      select coalesce(jsonb_agg(to_jsonb(f) order by f.path), '[]')
      from (
        select * from logic.collection_faults(v_after, false) f where f.path <> 'key'
        union all
        select * from logic.workflow_faults(p_workspace_id,
          array(select f from core.field f where f.workspace_id = p_workspace_id and f.collection = v_before.key), p_workflow)
      ) f));
    if v_after is distinct from v_before then
      update core.collection c
      set label = v_after.label, plural = v_after.plural, unknown_fields = v_after.unknown_fields, workflow = v_after.workflow
      where c.workspace_id = p_workspace_id and c.key = v_before.key;
      perform logic.schema_append(p_workspace_id, v_before.key);
    end if;
  end if;
  return logic.collection_shape(v_after) || jsonb_build_object('seq', logic.written_seq(p_workspace_id));
end
$$;
comment on function api.collection_update(uuid, text, text, text, text, jsonb) is 'Changes a collection.';
