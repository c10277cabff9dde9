-- GET what became of a record: {activities, nextCursor, since}, the newest first. p_cursor: the seq behind which to go on.
-- Raises PT404 unknown_record.
create or replace function api.record_activity(
  p_workspace_id uuid, p_id text, p_cursor bigint default null, p_limit integer default null) returns jsonb
language plpgsql stable
as $$
begin
  return logic.activity_page(p_workspace_id, (logic.record_find(p_workspace_id, p_id)).id, p_cursor, p_limit);
end
$$;
comment on function api.record_activity(uuid, text, bigint, integer) is 'What became of a record.';
