-- A record as one flat object: its fields, and beside them what the server keeps, which wins over a field of the same name.
create or replace function faces.flat(p_record core.record) returns jsonb
language sql stable parallel safe
as $$
  select p_record.data || jsonb_build_object(
    'id', p_record.id,
    'displayId', p_record.display_id,
    'workspaceId', p_record.workspace_id,
    'position', p_record.position,
    'version', p_record.version,
    'createdAt', logic.utc(p_record.created_at),
    'createdBy', p_record.created_by,
    'updatedAt', logic.utc(p_record.updated_at),
    'updatedBy', p_record.updated_by)
$$;
comment on function faces.flat(core.record) is 'A record as one flat object.';
