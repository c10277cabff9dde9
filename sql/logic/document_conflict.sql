-- The conflict of a record as a whole: key null, and its documents as they were at the version that a write is based on (null where the caller
-- could not have read it, or the log was trimmed since, or does not have it), as the write would make it, and as it is; null for a record that is deleted.
-- Definer: the log is open to nobody; who calls has found the record under the policies.
create or replace function logic.document_conflict(p_record core.record, p_version integer, p_yours jsonb, p_theirs jsonb) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_array(jsonb_build_object(
    'recordId', p_record.id, 'key', null,
    'base', (logic.record_at(p_record, b.seq)).data, 'yours', p_yours, 'theirs', p_theirs))
  from (
    select case when p_version <= p_record.version then coalesce(max(c.seq), 0) else 0 end as seq
    from core.change c
    where c.workspace_id = p_record.workspace_id and c.record_id = p_record.id and c.version <= p_version
      and (logic.change_is_of_document(c) or c.action = 'baseline')
  ) b
$$;
comment on function logic.document_conflict(core.record, integer, jsonb, jsonb) is 'The conflict of a record as a whole.';
