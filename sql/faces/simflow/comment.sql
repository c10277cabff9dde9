-- A comment as the Sim-Flow client knows it (source document 2). The role is the author's of today, null where he has left.
create or replace function faces.simflow_comment(p_comment core.comment) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', p_comment.id,
    'requestId', p_comment.record_id,
    'authorId', p_comment.author_id,
    'authorName', c.shape -> 'author' -> 'name',
    'authorRole', (
      select upper(m.role) from core.member m
      where m.workspace_id = p_comment.workspace_id and m.account_id = p_comment.author_id),
    'content', p_comment.body,
    'createdAt', c.shape -> 'createdAt')
  from (select logic.comment_shape(p_comment) as shape) c
$$;
comment on function faces.simflow_comment(core.comment) is 'A comment in the shape of Sim-Flow.';
