-- Whether somebody else has changed a record's document since a version of it. p_own: as of deleted_since. Where the log was
-- trimmed since that version, or does not have it, it may have been.
create or replace function logic.document_changed_since(p_record core.record, p_version integer, p_own jsonb) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select p_version > p_record.version or exists (
    select from core.change c
    where c.workspace_id = p_record.workspace_id and c.record_id = p_record.id and c.version > p_version
      and c.seq > (select logic.version_seq(p_record, p_version))
      and (c.before is not null or c.action = 'baseline') and not logic.change_is_own(c, p_own))
$$;
comment on function logic.document_changed_since(core.record, integer, jsonb) is 'Whether somebody else has changed a document since a version.';
