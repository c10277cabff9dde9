-- Removes an attachment softly: its bytes stay for 30 days. Raises PT404 unknown_attachment, PT403 not_permitted.
create or replace function api.attachment_delete(p_workspace_id uuid, p_attachment uuid) returns jsonb
language plpgsql volatile
as $$
declare
  v_attachment core.attachment;
begin
  if logic.repeated_seq() is null then
    v_attachment := logic.attachment_find(p_workspace_id, p_attachment);
    if not core.granted('rowcast.edit', v_attachment.collection, v_attachment.audience) then
      perform logic.raise_refusal('not_permitted');
    end if;
    update core.attachment a
    set deleted_at = clock_timestamp()
    where a.workspace_id = p_workspace_id and a.id = p_attachment;
  end if;
  return jsonb_build_object('id', p_attachment, 'seq', logic.written_seq(p_workspace_id));
end
$$;
comment on function api.attachment_delete(uuid, uuid) is 'Removes an attachment softly and answers {id, seq}.';
