-- GET the audit of a workspace: who changed members, roles, invitations or the workspace itself, and when; the newest first. Out of the
-- log, where these changes stand under an id of their own (see access_id). p_cursor: the seq behind which to go on; since: where the log
-- begins (see history_since).
-- Raises PT403 not_permitted.
create or replace function api.audit_list(p_workspace_id uuid, p_cursor bigint default null, p_limit integer default null) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_limit constant integer := least(coalesce(p_limit, 50), 200);
  v_events jsonb;
begin
  perform logic.manage_check();
  select coalesce(jsonb_agg(e.event order by e.n), '[]') into v_events
  from (
    select row_number() over (order by c.seq desc) as n, logic.audit_event_shape(c) as event
    from core.change c
    where c.workspace_id = p_workspace_id and c.record_id = logic.access_id(p_workspace_id) and c.action = 'access'
      and c.seq < coalesce(p_cursor, 9223372036854775807)
    order by c.seq desc
    limit v_limit + 1
  ) e;
  return jsonb_build_object(
    'events', case when jsonb_array_length(v_events) > v_limit then v_events - v_limit else v_events end,
    'nextCursor', case when jsonb_array_length(v_events) > v_limit then v_events -> (v_limit - 1) ->> 'seq' end,
    'since', logic.history_since(p_workspace_id));
end
$$;
comment on function api.audit_list(uuid, bigint, integer) is 'Who changed the access to a workspace.';
