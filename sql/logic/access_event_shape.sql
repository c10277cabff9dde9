-- The data of member-joined, -changed, -left, workspace-updated and the like.
create or replace function logic.access_event_shape(p_change core.change) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'seq', p_change.seq,
    'workspaceId', p_change.workspace_id,
    'transactionId', p_change.transaction_id,
    'role', p_change.patch -> 'role',
    'account', case when p_change.patch ? 'accountId' then jsonb_build_object(
      'id', p_change.patch -> 'accountId',
      'name', (select a.name from core.account a where a.id = (p_change.patch ->> 'accountId')::uuid)) end,
    'at', logic.utc(p_change.at))
    || case when p_change.patch ? 'name' then jsonb_build_object('name', p_change.patch -> 'name') else '{}' end
$$;
comment on function logic.access_event_shape(core.change) is 'A change of members or roles as the data of an event.';
