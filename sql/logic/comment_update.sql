-- Changes what one's own comment says. The same again writes nothing.
-- Raises PT404 unknown_comment, unknown_record, PT403 not_permitted, PT422 invalid_comment.
create or replace function logic.comment_update(
  p_workspace_id uuid, p_comment uuid, p_body text, out comment core.comment, out seq bigint)
language plpgsql volatile
as $$
begin
  seq := logic.repeated_seq();
  if seq is not null then
    comment := logic.comment_find(p_workspace_id, p_comment);
    return;
  end if;
  comment := logic.comment_find_live(p_workspace_id, p_comment);
  if comment.author_id is distinct from core.entered_actor()
      or not core.permits('comment', comment.collection, comment.audience) then
    perform logic.raise_refusal('not_permitted');
  end if;
  if comment.body = p_body then
    seq := logic.record_last_seq(p_workspace_id, comment.record_id);
    return;
  end if;
  update core.comment c
  set body = p_body
  where c.workspace_id = p_workspace_id and c.id = p_comment
  returning c.* into comment;
  seq := logic.seq_carried(p_workspace_id);
end
$$;
comment on function logic.comment_update(uuid, uuid, text) is 'Changes what a comment says.';
