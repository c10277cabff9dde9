-- Enters a workspace: looks membership and role up once, and sets what policies and functions compare with.
-- Raises PT404 unknown_workspace for who is no member: to him it does not exist; PT401 unauthenticated where his session ended.
create or replace function logic.enter(p_workspace_id uuid, p_actor_id uuid, p_session_id uuid default null) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_rights record;
begin
  select * into v_rights from logic.rights(p_workspace_id, p_actor_id, p_session_id);
  if not found then
    perform logic.raise_refusal(case
      when logic.session_live(p_session_id, p_actor_id) then 'unknown_workspace' else 'unauthenticated' end);
  end if;
  perform logic.settings_enter(p_workspace_id, p_actor_id, v_rights.read, v_rights.edit, v_rights.may,
    nullif(current_setting('rowcast.transaction', true), '')::uuid, logic.repeated_seq(),
    p_session_id);
end
$$;
comment on function logic.enter(uuid, uuid, uuid) is 'Enters a workspace as one of its members, for the rest of the transaction.';
