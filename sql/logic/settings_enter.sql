-- Sets all that a call is known by; what is null is cleared. With every argument null it leaves every workspace: policies
-- then show nothing, and triggers know no actor and no transaction.
create or replace function logic.settings_enter(
  p_workspace_id uuid default null, p_actor_id uuid default null,
  p_read text default null, p_edit text default null, p_may text default null,
  p_transaction_id uuid default null, p_repeated_seq bigint default null,
  p_session_id uuid default null) returns text
language plpgsql volatile
as $$
begin
  return set_config('rowcast.actor', coalesce(p_actor_id::text, ''), true)
    || set_config('rowcast.session', coalesce(p_session_id::text, ''), true)
    || set_config('rowcast.read', coalesce(p_read, ''), true)
    || set_config('rowcast.edit', coalesce(p_edit, ''), true)
    || set_config('rowcast.may', coalesce(p_may, ''), true)
    || set_config('rowcast.transaction', coalesce(p_transaction_id::text, ''), true)
    || set_config('rowcast.repeat', coalesce(p_repeated_seq::text, ''), true)
    || set_config('rowcast.written', '', true)
    || set_config('rowcast.inverse', '', true)
    || set_config('rowcast.workspace', coalesce(p_workspace_id::text, ''), true);
end
$$;
comment on function logic.settings_enter(uuid, uuid, text, text, text, uuid, bigint, uuid) is 'Sets or clears the settings of one call.';
