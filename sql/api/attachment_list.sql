-- The attachments of a record, the oldest first. Raises PT404 unknown_record.
create or replace function api.attachment_list(p_workspace_id uuid, p_id text) returns jsonb
language plpgsql stable
as $$
declare
  v_record constant core.record := logic.record_find(p_workspace_id, p_id);
begin
  return jsonb_build_object(
    'attachments', coalesce((
      select jsonb_agg(logic.attachment_shape(a) order by a.created_at, a.id)
      from core.attachment a
      where a.workspace_id = p_workspace_id and a.record_id = v_record.id and a.deleted_at is null), '[]'),
    'nextCursor', null);
end
$$;
comment on function api.attachment_list(uuid, text) is 'The attachments of a record.';
