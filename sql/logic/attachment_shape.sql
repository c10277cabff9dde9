-- An attachment as clients see it: all but where its bytes are.
create or replace function logic.attachment_shape(p_attachment core.attachment) returns jsonb
language sql stable parallel safe
as $$
  select jsonb_build_object(
    'id', p_attachment.id,
    'recordId', p_attachment.record_id,
    'name', p_attachment.name,
    'type', p_attachment.type,
    'size', p_attachment.size,
    'sha256', encode(p_attachment.sha256, 'hex'),
    'createdAt', logic.utc(p_attachment.created_at),
    'createdBy', p_attachment.created_by)
$$;
comment on function logic.attachment_shape(core.attachment) is 'An attachment as clients see it.';
