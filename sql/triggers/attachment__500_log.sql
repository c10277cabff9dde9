-- Logs that an attachment is there (again) or is removed, whoever does it, and counts those of its record.
-- Locks: the clock of the workspace, then the record.
create or replace function logic.attachment__500_log() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_record core.record;
  v_seq bigint;
begin
  if tg_op = 'UPDATE' and (new.deleted_at is null) = (old.deleted_at is null) or tg_op = 'INSERT' and new.deleted_at is not null then
    return null;
  end if;
  v_seq := logic.seq_last(new.workspace_id);
  update core.record r
  set attachment_count = r.attachment_count + case when new.deleted_at is null then 1 else -1 end
  where r.workspace_id = new.workspace_id and r.id = new.record_id
  returning r.* into v_record;
  v_seq := logic.notice_append(
    new.workspace_id, 'attachment', case when new.deleted_at is null then 'attachment-added' else 'attachment-removed' end,
    jsonb_build_object('attachment', logic.attachment_shape(new)), v_record);
  return null;
end
$$;
comment on function logic.attachment__500_log() is 'Writes an attachment that comes or goes into the log.';

create or replace trigger attachment__500_log
  after insert or update on core.attachment
  for each row execute function logic.attachment__500_log();
