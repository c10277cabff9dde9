-- Adds a file to a record (p_id), whose bytes the process has put into its store (p_storage_key), counted and hashed; no route
-- names it. A repeat answers the first attachment, whose id is another than p_attachment: the bytes that came again are surplus.
-- Raises PT404 unknown_record, unknown_attachment (a repeat of what was removed since), PT403 not_permitted.
create or replace function api.attachment_create(
  p_workspace_id uuid, p_id text, p_attachment uuid, p_name text, p_type text, p_size bigint, p_digest text, p_storage_key text)
returns jsonb
language plpgsql volatile
as $$
declare
  v_attachment core.attachment;
begin
  if logic.repeated_seq() is not null then
    v_attachment := logic.attachment_find(p_workspace_id, logic.repeated_attachment_id(p_workspace_id));
  else
    insert into core.attachment as a (workspace_id, id, record_id, name, type, size, sha256, storage_key)
    values (p_workspace_id, p_attachment, (logic.attachment_check(p_workspace_id, p_id)).id, p_name, p_type, p_size,
      decode(p_digest, 'hex'), p_storage_key)
    returning a.* into v_attachment;
  end if;
  return logic.attachment_shape(v_attachment) || jsonb_build_object('seq', logic.written_seq(p_workspace_id));
end
$$;
comment on function api.attachment_create(uuid, text, uuid, text, text, bigint, text, text) is 'Adds a file to a record.';
