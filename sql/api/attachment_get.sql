-- What the process needs to send an attachment: its shape, and where its bytes are. No route names it: storageKey is not for
-- clients. Raises PT404 unknown_attachment.
create or replace function api.attachment_get(p_workspace_id uuid, p_attachment uuid) returns jsonb
language plpgsql stable
as $$
declare
  v_attachment constant core.attachment := logic.attachment_find(p_workspace_id, p_attachment);
begin
  return logic.attachment_shape(v_attachment) || jsonb_build_object('storageKey', v_attachment.storage_key);
end
$$;
comment on function api.attachment_get(uuid, uuid) is 'An attachment, and where its bytes are.';
