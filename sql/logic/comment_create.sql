-- Comments on a record, or replies to a comment of it, as the entered actor. The id may be the client's own.
-- Raises PT404 unknown_record, PT403 not_permitted, PT409 comment_exists (the id is taken), PT422 invalid_comment.
create or replace function logic.comment_create(
  p_workspace_id uuid, p_id text, p_body text, p_parent_id uuid, p_comment_id uuid, out comment core.comment, out seq bigint)
language plpgsql volatile
as $$
declare
  v_record core.record;
begin
  seq := logic.repeated_seq();
  if seq is not null then
    comment := logic.comment_find(p_workspace_id, logic.repeated_comment_id(p_workspace_id));
    return;
  end if;
  v_record := logic.record_find_live(p_workspace_id, p_id);
  if not core.permits('comment', v_record.collection, v_record.audience) then
    perform logic.raise_refusal('not_permitted');
  end if;
  insert into core.comment as c (workspace_id, id, record_id, parent_id, body)
  values (p_workspace_id, coalesce(p_comment_id, gen_random_uuid()), v_record.id, p_parent_id, p_body)
  on conflict (workspace_id, id) do nothing
  returning c.* into comment;
  if comment.id is null then
    raise sqlstate 'PT409' using message = 'There is a comment with this id already.', hint = 'comment_exists';
  end if;
  seq := logic.seq_carried(p_workspace_id);
end
$$;
comment on function logic.comment_create(uuid, text, text, uuid, uuid) is 'Comments on a record.';
