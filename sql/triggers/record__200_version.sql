-- Versions and stamps every write, derives the record's audience (its creator, and who stands in its user fields), and keeps
-- a document within its bounds: an object without null members, 256 KiB, 32 levels.
-- A write that changes nothing leaves the row as it was: no version, no change in the log.
-- Raises PT413 document_too_large, PT422 invalid_document, document_too_deep, record_identity.
create or replace function logic.record__200_version() returns trigger
language plpgsql volatile
as $$
begin
  if jsonb_typeof(new.data) is distinct from 'object' then
    raise sqlstate 'PT422' using message = 'A document is a JSON object.', hint = 'invalid_document';
  end if;
  new.data := logic.jsonb_without_nulls(new.data);
  if tg_op = 'INSERT' then
    new.version := 1;
    new.created_by := coalesce(core.entered_actor(), new.created_by);
    new.audience := logic.record_audience(new.created_by, new.user_fields, new.data);
  else
    if new.workspace_id <> old.workspace_id or new.id <> old.id or new.collection <> old.collection
        or new.number <> old.number or new.display_id <> old.display_id or new.created_at <> old.created_at then
      raise sqlstate 'PT422' using hint = 'record_identity',
        message = 'Workspace, id, collection, number and creation time of a record never change.';
    end if;
    if new.user_fields <> '{}' or new.user_fields <> old.user_fields or new.audience <> old.audience
        or new.created_by is distinct from old.created_by then
      new.audience := logic.record_audience(new.created_by, new.user_fields, new.data);
    end if;
    if new.data = old.data and new.position = old.position and new.deleted_at is not distinct from old.deleted_at
        and new.audience = old.audience then
      new.version := old.version;
      new.updated_at := old.updated_at;
      new.updated_by := old.updated_by;
      return new;
    end if;
    new.version := old.version + 1;
  end if;
  new.updated_at := clock_timestamp();
  new.updated_by := core.entered_actor();
  if octet_length(new.data::text) > 262144 then
    raise sqlstate 'PT413' using message = 'A document may have at most 256 KiB.', hint = 'document_too_large';
  end if;
  if jsonb_path_exists(new.data, 'strict $.**{32 to last} ? (@.type() == "object" || @.type() == "array")') then
    raise sqlstate 'PT422' using message = 'A document may have at most 32 levels.', hint = 'document_too_deep';
  end if;
  return new;
end
$$;
comment on function logic.record__200_version() is 'Version, stamps, audience and bounds of a record.';

create or replace trigger record__200_version
  before insert or update on core.record
  for each row execute function logic.record__200_version();
