-- POST a comment on a record. Raises as logic.comment_create.
create or replace function api.comment_create(
  p_workspace_id uuid, p_id text, p_body text, p_parent_id uuid default null, p_comment_id uuid default null) returns jsonb
language plpgsql volatile
as $$
declare
  v_written constant record := logic.comment_create(p_workspace_id, p_id, p_body, p_parent_id, p_comment_id);
begin
  return logic.comment_shape(v_written.comment) || jsonb_build_object('seq', v_written.seq);
end
$$;
comment on function api.comment_create(uuid, text, text, uuid, uuid) is 'Comments on a record and answers the comment, with its seq.';
