-- DELETE a comment. Raises as logic.comment_delete.
create or replace function api.comment_delete(p_workspace_id uuid, p_comment uuid) returns jsonb
language plpgsql volatile
as $$
declare
  v_written constant record := logic.comment_delete(p_workspace_id, p_comment);
begin
  return jsonb_build_object('id', (v_written.comment).id, 'seq', v_written.seq);
end
$$;
comment on function api.comment_delete(uuid, uuid) is 'Deletes a comment softly and answers {id, seq}.';
