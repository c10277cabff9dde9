-- As comment_find, for who wants to change a comment: a deleted one is gone, and so is one whose record is deleted.
-- Raises PT404 unknown_comment, unknown_record.
create or replace function logic.comment_find_live(p_workspace_id uuid, p_id uuid) returns core.comment
language plpgsql stable
as $$
declare
  v_comment constant core.comment := logic.comment_find(p_workspace_id, p_id);
begin
  perform logic.record_find_live(p_workspace_id, v_comment.record_id::text);
  if v_comment.deleted_at is not null then
    perform logic.raise_refusal('unknown_comment');
  end if;
  return v_comment;
end
$$;
comment on function logic.comment_find_live(uuid, uuid) is 'A comment by its id that is not deleted.';
