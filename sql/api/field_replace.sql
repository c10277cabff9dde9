-- PUT the fields of a collection, all at once: what is left out is removed, what has another name, type or options takes its values along
-- (see migration_steps). With p_dry_run nothing is written, and what would happen is answered.
-- Locks: as records_claim.
-- Raises PT403 not_permitted, PT404 unknown_collection, PT422 invalid_fields, PT409 option_in_use, values_do_not_fit.
create or replace function api.field_replace(
  p_workspace_id uuid, p_collection text, p_fields jsonb, p_dry_run boolean default false) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_collection core.collection := logic.collection_find(p_workspace_id, p_collection);
  v_steps jsonb;
begin
  if logic.repeated_seq() is null or p_dry_run then
    perform logic.manage_check();
    perform logic.raise_definition_faults((
      select coalesce(jsonb_agg(to_jsonb(f) order by f.path), '[]') from logic.fields_faults(p_workspace_id, v_collection.key, p_fields) f));
    v_steps := logic.migration_steps(p_workspace_id, v_collection.key, p_fields);
    if v_steps <> '[]' and not coalesce(p_dry_run, false) then
      perform logic.records_claim(p_workspace_id, v_collection.key);
    end if;
    if v_steps <> '[]' then
      perform logic.migration_check(p_workspace_id, v_collection.key, v_steps);
    end if;
    if p_dry_run then
      return jsonb_build_object('changes', logic.migration_changes(p_workspace_id, v_collection.key, p_fields, v_steps),
        'records', logic.migration_size(p_workspace_id, v_collection.key, v_steps), 'seq', logic.written_seq(p_workspace_id));
    end if;
    if logic.fields_differ(p_workspace_id, v_collection.key, p_fields) then
      perform logic.fields_migrate(v_collection, p_fields, v_steps);
    end if;
    v_collection := logic.collection_find(p_workspace_id, v_collection.key);
  end if;
  return logic.collection_shape(v_collection) || jsonb_build_object('seq', logic.written_seq(p_workspace_id));
end
$$;
comment on function api.field_replace(uuid, text, jsonb, boolean) is 'Replaces the fields of a collection and migrates its documents.';
