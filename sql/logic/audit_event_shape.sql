-- An access change as the audit shows it: who did what to whom.
create or replace function logic.audit_event_shape(p_change core.change) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select (logic.access_event_shape(p_change) - 'workspaceId')
    || jsonb_build_object(
      'event', p_change.patch -> 'event',
      'actor', case when p_change.actor_id is not null then jsonb_build_object(
        'id', p_change.actor_id,
        'name', (select a.name from core.account a where a.id = p_change.actor_id)) end)
    || coalesce((
      select jsonb_build_object('invitation', jsonb_build_object('id', i.id, 'email', i.email))
      from core.invitation i
      where i.workspace_id = p_change.workspace_id and i.id = (p_change.patch ->> 'invitationId')::uuid), '{}')
$$;
comment on function logic.audit_event_shape(core.change) is 'An access change as the audit shows it.';
