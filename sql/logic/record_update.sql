-- Merges a patch (RFC 7396) into a record. With a base version, fields that others changed since to another value are a
-- conflict, and so is a deletion since; without, the last writer wins per field. A patch that changes nothing writes nothing.
-- The hot path: the record is read here, and not by record_find_live, since a function that answers a row costs that much again.
-- Raises PT404 unknown_record, PT403 not_permitted, PT412 version_mismatch, PT409 conflict.
create or replace function logic.record_update(
  p_workspace_id uuid, p_id text, p_patch jsonb, p_base_version integer, p_if_match text, out record core.record, out seq bigint)
language plpgsql volatile
as $$
declare
  v_written text;
  v_data jsonb;
  v_conflicts jsonb;
begin
  seq := logic.repeated_seq();
  if seq is not null then
    record := logic.record_find(p_workspace_id, p_id);
    return;
  end if;
  select r.* into record
  from core.record r
  where r.workspace_id = p_workspace_id and r.id = logic.record_id(p_workspace_id, p_id) and r.deleted_at is null;
  if record.id is null then
    perform logic.raise_gone(p_workspace_id, p_id, p_base_version, p_patch);
  end if;
  if not core.granted('rowcast.edit', record.collection, record.audience) then
    perform logic.raise_refusal('not_permitted');
  end if;
  if p_if_match is not null then
    perform logic.record_check_version(record, p_if_match);
  end if;
  v_data := logic.jsonb_merge_patch(record.data, p_patch);
  if p_base_version <> record.version then
    v_conflicts := logic.conflicts_since(record, p_base_version, v_data);
    if v_conflicts <> '[]' then
      perform logic.raise_conflicts(array(select jsonb_array_elements(v_conflicts)));
    end if;
  end if;
  if v_data = record.data then
    seq := logic.record_last_seq(p_workspace_id, record.id);
    return;
  end if;
  v_written := set_config('rowcast.written', record.id::text, true);
  update core.record r
  set data = v_data
  where r.workspace_id = p_workspace_id and r.id = record.id
  returning r.* into record;
  v_written := set_config('rowcast.written', '', true);
  seq := logic.seq_carried(p_workspace_id);
end
$$;
comment on function logic.record_update(uuid, text, jsonb, integer, text) is 'Merges a patch into a record.';
