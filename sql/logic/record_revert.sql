-- Gives a record the document that it had at a seq of the log, by a change of its own; what was deleted meanwhile is restored too.
-- Raises PT404 unknown_record, PT403 not_permitted, PT410 seq_expired, PT422 unknown_seq, and as the triggers of core.record.
create or replace function logic.record_revert(p_workspace_id uuid, p_id text, p_seq bigint, out record core.record, out seq bigint)
language plpgsql volatile
as $$
declare
  v_was core.record;
begin
  record := logic.record_find(p_workspace_id, p_id);
  seq := logic.repeated_seq();
  if seq is not null then
    return;
  end if;
  perform logic.seq_check(p_workspace_id, p_seq);
  v_was := logic.record_at(record, p_seq);
  if v_was.id is null then
    perform logic.raise_refusal('unknown_record');
  end if;
  if not core.granted('rowcast.edit', record.collection, record.audience) then
    perform logic.raise_refusal('not_permitted');
  end if;
  if record.deleted_at is not null then
    record := (logic.record_restore(p_workspace_id, p_id)).record;
  end if;
  record := logic.record_put(record, v_was.data);
  seq := coalesce(logic.record_last_seq(p_workspace_id, record.id), logic.seq_carried(p_workspace_id));
end
$$;
comment on function logic.record_revert(uuid, text, bigint) is 'Gives a record the document that it had at a seq.';
