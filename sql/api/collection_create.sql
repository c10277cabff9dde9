-- POST a collection, with its fields if they are given. The plural is the key with an s, the prefix its first three letters, unless given.
-- Raises PT403 not_permitted, PT409 collection_limit, PT422 invalid_fields.
create or replace function api.collection_create(
  p_workspace_id uuid, p_key text, p_label text, p_plural text default null, p_prefix text default null, p_unknown_fields text default null,
  p_fields jsonb default null, p_workflow jsonb default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_fields constant jsonb := coalesce(nullif(p_fields, 'null'), '[]');
  v_collection core.collection;
begin
  if logic.repeated_seq() is null then
    perform logic.manage_check();
    if (select count(*) from core.collection c where c.workspace_id = p_workspace_id) >= 50 then
      raise sqlstate 'PT409' using hint = 'collection_limit', message = 'A workspace may have 50 collections at most.';
    end if;
    v_collection.workspace_id := p_workspace_id;
    v_collection.key := p_key;
    v_collection.plural := coalesce(p_plural, p_key || 's');
    v_collection.label := coalesce(p_label, p_key);
    v_collection.prefix := coalesce(p_prefix, logic.prefix_suggest(p_workspace_id, p_key));
    v_collection.unknown_fields := coalesce(p_unknown_fields, 'keep');
    v_collection.workflow := nullif(nullif(p_workflow, 'null'), '[]');
    perform logic.raise_definition_faults((
      select coalesce(jsonb_agg(to_jsonb(f) order by f.path), '[]')
      from (
        select * from logic.collection_faults(v_collection, true)
        union all
        select * from logic.fields_faults(p_workspace_id, p_key, v_fields)
        union all
        select * from logic.workflow_faults(p_workspace_id,
          array(select r.field from logic.fields_read(p_workspace_id, p_key, v_fields) r), v_collection.workflow)
      ) f));
    perform logic.collection_store(v_collection, v_fields);
  end if;
  return logic.collection_shape(logic.collection_find(p_workspace_id, p_key)) || jsonb_build_object('seq', logic.written_seq(p_workspace_id));
end
$$;
comment on function api.collection_create(uuid, text, text, text, text, text, jsonb, jsonb) is 'Makes a collection.';
