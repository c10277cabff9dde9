-- PATCH what one's own comment says. Raises as logic.comment_update.
create or replace function api.comment_update(p_workspace_id uuid, p_comment uuid, p_body text) returns jsonb
language plpgsql volatile
as $$
declare
  v_written constant record := logic.comment_update(p_workspace_id, p_comment, p_body);
begin
  return logic.comment_shape(v_written.comment) || jsonb_build_object('seq', v_written.seq);
end
$$;
comment on function api.comment_update(uuid, uuid, text) is 'Changes a comment and answers it, with its seq.';
