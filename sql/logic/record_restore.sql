-- Brings a deleted record back as it was. Restoring one that is not deleted changes nothing.
-- Raises PT404 unknown_record, PT403 not_permitted (who may delete may restore).
create or replace function logic.record_restore(p_workspace_id uuid, p_id text, out record core.record, out seq bigint)
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
  if record.deleted_at is null then
    seq := logic.record_last_seq(p_workspace_id, record.id);
    return;
  end if;
  perform set_config('rowcast.written', record.id::text, true);
  update core.record r
  set deleted_at = null
  where r.workspace_id = p_workspace_id and r.id = record.id
  returning r.* into record;
  perform set_config('rowcast.written', '', true);
  seq := logic.seq_carried(p_workspace_id);
end
$$;
comment on function logic.record_restore(uuid, text) is 'Restores a deleted record.';
