-- An attachment that is not removed, under the rights of the entered workspace. Raises PT404 unknown_attachment.
create or replace function logic.attachment_find(p_workspace_id uuid, p_attachment uuid) returns core.attachment
language plpgsql stable
as $$
declare
  v_attachment core.attachment;
begin
  select * into v_attachment
  from core.attachment a
  where a.workspace_id = p_workspace_id and a.id = p_attachment and a.deleted_at is null;
  if v_attachment.id is null then
    raise sqlstate 'PT404' using message = 'There is no such attachment, or you may not see it.', hint = 'unknown_attachment';
  end if;
  return v_attachment;
end
$$;
comment on function logic.attachment_find(uuid, uuid) is 'An attachment by its id.';
