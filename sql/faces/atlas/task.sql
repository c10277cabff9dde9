-- A task as the Atlas client knows it (source document 1).
create or replace function faces.atlas_task(p_record core.record) returns jsonb
language sql stable parallel safe
as $$
  select jsonb_build_object(
    'id', p_record.id,
    'workspaceId', p_record.workspace_id,
    'displayId', p_record.display_id,
    'sequenceNumber', p_record.number,
    'data', p_record.data,
    'version', p_record.version,
    'createdAt', logic.utc(p_record.created_at),
    'updatedAt', logic.utc(p_record.updated_at))
$$;
comment on function faces.atlas_task(core.record) is 'A record in the shape of an Atlas task.';
