-- GET what happened in a workspace: {activities, nextCursor, since}, the newest first. p_cursor: the seq behind which to go on.
create or replace function api.workspace_activity(
  p_workspace_id uuid, p_cursor bigint default null, p_limit integer default null) returns jsonb
language plpgsql stable
as $$
begin
  return logic.activity_page(p_workspace_id, null, p_cursor, p_limit);
end
$$;
comment on function api.workspace_activity(uuid, bigint, integer) is 'What happened in a workspace.';
