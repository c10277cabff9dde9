-- Deletes a record softly: it leaves lists and can be restored; its number stays taken.
-- Raises PT404 unknown_record, PT403 not_permitted, PT412 version_mismatch.
create or replace function logic.record_delete(
  p_workspace_id uuid, p_id text, p_if_match text, out record core.record, out seq bigint)
language plpgsql volatile
as $$
begin
  record := logic.record_find(p_workspace_id, p_id);
  seq := logic.repeated_seq();
  if seq is not null then
    return;
  end if;
  if not core.permits('delete', record.collection, record.audience) then
    perform logic.raise_refusal('not_permitted');
  end if;
  if record.deleted_at is not null then
    perform logic.raise_refusal('unknown_record');
  end if;
  perform logic.record_check_version(record, p_if_match);
  perform set_config('rowcast.written', record.id::text, true);
  update core.record r
  set deleted_at = clock_timestamp()
  where r.workspace_id = p_workspace_id and r.id = record.id
  returning r.* into record;
  perform set_config('rowcast.written', '', true);
  seq := logic.seq_carried(p_workspace_id);
end
$$;
comment on function logic.record_delete(uuid, text, text) is 'Deletes a record softly.';
