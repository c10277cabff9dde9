-- What an attachment has of its record (collection, audience), who adds it and when; where its bytes are, unless that is said.
-- Once it is there, only that it is removed changes, and its audience with its record's.
-- Locks: the clock of the workspace, before anything of the record. Raises PT404 unknown_record, PT422 attachment_identity.
create or replace function logic.attachment__100_fill() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_kept constant core.attachment := new;
begin
  if tg_op = 'UPDATE' then
    new := old;
    new.audience := v_kept.audience;
    new.deleted_at := v_kept.deleted_at;
    if new is distinct from v_kept then
      raise sqlstate 'PT422' using hint = 'attachment_identity',
        message = 'An attachment does not change: remove it, and add another.';
    end if;
    return new;
  end if;
  perform logic.seq_last(new.workspace_id);
  select r.collection, r.audience into new.collection, new.audience
  from core.record r
  where r.workspace_id = new.workspace_id and r.id = new.record_id and r.deleted_at is null;
  if not found then
    perform logic.raise_refusal('unknown_record');
  end if;
  new.storage_key := coalesce(new.storage_key, new.workspace_id || '/' || new.id);
  new.created_by := coalesce(core.entered_actor(), new.created_by);
  new.created_at := clock_timestamp();
  return new;
end
$$;
comment on function logic.attachment__100_fill() is 'Collection, audience, author and time of an attachment.';

create or replace trigger attachment__100_fill
  before insert or update on core.attachment
  for each row execute function logic.attachment__100_fill();
