-- GET the comments of a record, the oldest first: {comments, nextCursor}. Replies stand among them, with their parentId; a deleted one
-- stands there without its body. p_cursor: the comment behind which to go on.
-- Raises PT404 unknown_record, PT422 invalid_cursor.
create or replace function api.comment_list(
  p_workspace_id uuid, p_id text, p_cursor uuid default null, p_limit integer default null) returns jsonb
language plpgsql stable
as $$
declare
  v_limit constant integer := least(coalesce(p_limit, 50), 200);
  v_record constant core.record := logic.record_find(p_workspace_id, p_id);
  v_after timestamptz := '-infinity';
  v_comments jsonb;
begin
  if p_cursor is not null then
    select c.created_at into v_after
    from core.comment c
    where c.workspace_id = p_workspace_id and c.id = p_cursor and c.record_id = v_record.id;
    if not found then
      raise sqlstate 'PT422' using message = 'This cursor does not belong to this list.', hint = 'invalid_cursor';
    end if;
  end if;
  select coalesce(jsonb_agg(l.comment order by l.created_at, l.id), '[]') into v_comments
  from (
    select c.created_at, c.id, logic.comment_shape(c) as comment
    from core.comment c
    where c.workspace_id = p_workspace_id and c.record_id = v_record.id
      and (c.created_at, c.id) > (v_after, coalesce(p_cursor, '00000000-0000-0000-0000-000000000000'))
    order by c.created_at, c.id
    limit v_limit + 1
  ) l;
  return jsonb_build_object(
    'comments', case when jsonb_array_length(v_comments) > v_limit then v_comments - v_limit else v_comments end,
    'nextCursor', case when jsonb_array_length(v_comments) > v_limit then v_comments -> (v_limit - 1) -> 'id' end);
end
$$;
comment on function api.comment_list(uuid, text, uuid, integer) is 'The comments of a record.';
