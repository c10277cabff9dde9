-- Logs a comment that is written, edited, deleted or brought back, whoever does it, and counts it on its record. The log holds ids;
-- names are looked up when it is read. What was said before stands in `before`, also of a deleted comment.
-- Locks: the clock of the workspace, then the record.
create or replace function logic.comment__500_log() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_record core.record;
  v_more integer := 0;
begin
  if tg_op = 'INSERT' then
    v_more := (new.deleted_at is null)::integer;
  elsif new.body = old.body and (new.deleted_at is null) = (old.deleted_at is null) then
    return null;
  else
    v_more := (new.deleted_at is null)::integer - (old.deleted_at is null)::integer;
  end if;
  perform logic.seq_last(new.workspace_id);
  if v_more <> 0 then
    update core.record r
    set comment_count = r.comment_count + v_more
    where r.workspace_id = new.workspace_id and r.id = new.record_id
    returning r.* into v_record;
  else
    select * into v_record from core.record r where r.workspace_id = new.workspace_id and r.id = new.record_id;
  end if;
  perform logic.notice_append(
    new.workspace_id, 'comment',
    case when tg_op = 'INSERT' then 'comment-created' when v_more < 0 then 'comment-deleted' else 'comment-updated' end,
    jsonb_build_object('comment', logic.comment_facts(new)),
    v_record,
    case when tg_op = 'UPDATE' then jsonb_build_object('comment', logic.comment_facts(old)) end);
  return null;
end
$$;
comment on function logic.comment__500_log() is 'Writes what becomes of a comment into the log, and counts it.';

create or replace trigger comment__500_log
  after insert or update on core.comment
  for each row execute function logic.comment__500_log();
