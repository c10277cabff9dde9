-- The native shape of a record, and what the log keeps of a whole one.
create or replace function logic.record_shape(p_record core.record) returns jsonb
language sql stable parallel safe
as $$
  select jsonb_build_object(
    'id', p_record.id,
    'displayId', p_record.display_id,
    'collection', p_record.collection,
    'number', p_record.number,
    'data', p_record.data,
    'position', p_record.position,
    'version', p_record.version,
    'commentCount', p_record.comment_count,
    'attachmentCount', p_record.attachment_count,
    'createdAt', logic.utc(p_record.created_at),
    'createdBy', p_record.created_by,
    'updatedAt', logic.utc(p_record.updated_at),
    'updatedBy', p_record.updated_by,
    'deletedAt', logic.utc(p_record.deleted_at))
$$;
comment on function logic.record_shape(core.record) is 'A record as clients see it.';
