-- A comment as the log keeps it: with ids in the place of names, which are erased in one place then. What a deleted one said is
-- left out.
create or replace function logic.comment_facts(p_comment core.comment) returns jsonb
language sql stable parallel safe
as $$
  select jsonb_build_object(
    'id', p_comment.id,
    'recordId', p_comment.record_id,
    'parentId', p_comment.parent_id,
    'body', case when p_comment.deleted_at is null then p_comment.body end,
    'authorId', p_comment.author_id,
    'mentions', case when p_comment.deleted_at is null then to_jsonb(p_comment.mentions) else '[]' end,
    'createdAt', logic.utc(p_comment.created_at),
    'editedAt', logic.utc(p_comment.edited_at),
    'deletedAt', logic.utc(p_comment.deleted_at))
$$;
comment on function logic.comment_facts(core.comment) is 'A comment as the log keeps it.';
