-- Logs who may see or do what has changed, or something else that a workspace's admin wants to know: members, roles,
-- invitations, the workspace itself. Streams look at their rights again where the event may concern them.
-- Locks: the clock of the workspace.
create or replace function logic.access_append(p_workspace_id uuid, p_event text, p_facts jsonb default '{}') returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_change core.change;
begin
  v_change.workspace_id := p_workspace_id;
  v_change.action := 'access';
  v_change.record_id := logic.access_id(p_workspace_id);
  v_change.patch := jsonb_build_object('event', p_event) || p_facts;
  perform set_config('rowcast.access_changed', pg_current_xact_id()::text, true);
  return logic.change_append(v_change);
end
$$;
comment on function logic.access_append(uuid, text, jsonb) is 'Appends an access change to the log.';
