-- Ends one of the caller's sessions. Raises PT401 unauthenticated, PT403 sign_in_required, PT404 unknown_session.
create or replace function logic.session_revoke(p_session uuid, p_kind text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor constant uuid := logic.sign_in_check();
begin
  update core.session s
  set revoked_at = coalesce(s.revoked_at, clock_timestamp())
  where s.id = p_session and s.account_id = v_actor and s.kind = p_kind
    and (s.revoked_at is null or logic.repeated_seq() is not null);
  if not found then
    raise sqlstate 'PT404' using hint = 'unknown_session', message = 'You have no such session or token.';
  end if;
  return jsonb_build_object('id', p_session);
end
$$;
comment on function logic.session_revoke(uuid, text) is 'Ends one of the caller''s sessions.';
