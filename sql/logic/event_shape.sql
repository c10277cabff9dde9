-- The data of an event: what clients get of a change.
create or replace function logic.event_shape(
  p_change core.change, p_display_id text, p_actor_name text) returns jsonb
language sql stable parallel safe
as $$
  select jsonb_build_object(
    'seq', p_change.seq,
    'workspaceId', p_change.workspace_id,
    'transactionId', p_change.transaction_id,
    'collection', p_change.collection,
    'id', p_change.record_id,
    'displayId', p_display_id,
    'version', p_change.version,
    'patch', coalesce(p_change.patch, case when p_change.action = 'created' then p_change.document -> 'data' end, '{}'),
    'actor', case when p_change.actor_id is not null
      then jsonb_build_object('id', p_change.actor_id, 'name', p_actor_name) end,
    'at', logic.utc(p_change.at))
    || case when p_change.position is not null then jsonb_build_object('position', p_change.position) else '{}' end
$$;
comment on function logic.event_shape(core.change, text, text) is 'A change as the data of an event.';
