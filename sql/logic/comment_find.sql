-- A comment, deleted or not, under the rights of the entered workspace. Raises PT404 unknown_comment.
create or replace function logic.comment_find(p_workspace_id uuid, p_id uuid) returns core.comment
language plpgsql stable
as $$
declare
  v_comment core.comment;
begin
  select * into v_comment from core.comment c where c.workspace_id = p_workspace_id and c.id = p_id;
  if v_comment.id is null then
    perform logic.raise_refusal('unknown_comment');
  end if;
  return v_comment;
end
$$;
comment on function logic.comment_find(uuid, uuid) is 'A comment by its id.';
