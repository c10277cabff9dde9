-- Refuses a patch of a record that is not there: a conflict where it was deleted since the version that the patch is based on.
-- Raises PT404 unknown_record, PT403 not_permitted, PT409 conflict.
create or replace function logic.raise_gone(p_workspace_id uuid, p_id text, p_base_version integer, p_patch jsonb) returns void
language plpgsql stable
as $$
declare
  v_record constant core.record := logic.record_find(p_workspace_id, p_id);
begin
  if not logic.deleted_since(v_record, p_base_version, '{}') then
    perform logic.raise_refusal('unknown_record');
  end if;
  if not core.granted('rowcast.edit', v_record.collection, v_record.audience) then
    perform logic.raise_refusal('not_permitted');
  end if;
  perform logic.raise_conflicts(array(select jsonb_array_elements(
    logic.document_conflict(v_record, p_base_version, logic.jsonb_merge_patch(v_record.data, p_patch), null))));
end
$$;
comment on function logic.raise_gone(uuid, text, integer, jsonb) is 'Refuses a patch of a record that is not there.';
