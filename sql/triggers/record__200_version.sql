-- Versions and stamps every write, and keeps a document within its bounds: no null members, 256 KiB, 32 levels.
-- A write that changes nothing leaves the row as it was: no version, no change in the log.
-- Raises PT413 document_too_large, PT422 document_too_deep and record_identity (what names a record never changes).
create or replace function logic.record__200_version() returns trigger
language plpgsql volatile
as $$
begin
  new.data := logic.jsonb_without_nulls(new.data);
  if tg_op = 'INSERT' then
    new.version := 1;
    new.created_by := coalesce(core.entered_actor(), new.created_by);
  elsif new.workspace_id <> old.workspace_id or new.id <> old.id or new.collection <> old.collection
      or new.number <> old.number or new.display_id <> old.display_id or new.created_at <> old.created_at then
    raise sqlstate 'PT422' using message = 'Workspace, id, collection, number and creation time of a record never change.',
      hint = 'record_identity';
  elsif new.data = old.data and new.position = old.position and new.deleted_at is not distinct from old.deleted_at
      and new.created_by is not distinct from old.created_by and new.audience = old.audience then
    return old;
  else
    new.version := old.version + 1;
  end if;
  new.updated_at := clock_timestamp();
  new.updated_by := core.entered_actor();
  if pg_column_size(new.data) > 40000 and octet_length(new.data::text) > 262144 then
    raise sqlstate 'PT413' using message = 'A document may have at most 256 KiB.', hint = 'document_too_large';
  end if;
  if jsonb_path_exists(new.data, 'strict $.**{32 to last} ? (@.type() == "object" || @.type() == "array")') then
    raise sqlstate 'PT422' using message = 'A document may have at most 32 levels.', hint = 'document_too_deep';
  end if;
  return new;
end
$$;
comment on function logic.record__200_version() is 'Raises the version of a record, stamps it, and checks the bounds of its document.';

create or replace trigger record__200_version
  before insert or update on core.record
  for each row execute function logic.record__200_version();
