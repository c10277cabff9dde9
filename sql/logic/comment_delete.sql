-- Deletes a comment softly: one's own, or any for who may manage. Replies stay.
-- Raises PT404 unknown_comment, unknown_record, PT403 not_permitted.
create or replace function logic.comment_delete(p_workspace_id uuid, p_comment uuid, out comment core.comment, out seq bigint)
language plpgsql volatile
as $$
begin
  seq := logic.repeated_seq();
  if seq is not null then
    comment := logic.comment_find(p_workspace_id, p_comment);
    return;
  end if;
  comment := logic.comment_find_live(p_workspace_id, p_comment);
  if not core.permits('manage', comment.collection, comment.audience)
      and (comment.author_id is distinct from core.entered_actor()
        or not core.permits('comment', comment.collection, comment.audience)) then
    perform logic.raise_refusal('not_permitted');
  end if;
  update core.comment c
  set deleted_at = clock_timestamp()
  where c.workspace_id = p_workspace_id and c.id = p_comment
  returning c.* into comment;
  seq := logic.seq_carried(p_workspace_id);
end
$$;
comment on function logic.comment_delete(uuid, uuid) is 'Deletes a comment softly.';
