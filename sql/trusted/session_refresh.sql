-- Exchanges a refresh token for the next one: {user, sessionId, expiresAt, refreshToken}. Each is good once. Two tabs of one client
-- may send the same one at the same moment: within 20 seconds, from the same User-Agent, it is good again. Later, or elsewhere, it
-- was stolen, by this caller or from him, which can't be told: the session ends, and the answer is {reused: true}, since an error would take
-- that back. p_hash: of the token, hex.
-- Locks: the session. Raises PT401 invalid_refresh_token.
create or replace function trusted.session_refresh(p_hash text, p_client text, p_address text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := clock_timestamp();
  v_session core.session;
  v_used_at timestamptz;
begin
  select s.* into v_session
  from core.refresh_token t
  join core.session s on s.id = t.session_id
  where t.hash = decode(p_hash, 'hex')
  for update of s;
  if v_session.id is null or not logic.session_live(v_session.id, v_session.account_id) then
    raise sqlstate 'PT401' using message = 'The refresh token is not good, or no longer: sign in.', hint = 'invalid_refresh_token';
  end if;
  select t.used_at into v_used_at from core.refresh_token t where t.hash = decode(p_hash, 'hex');
  if v_used_at < v_now - interval '20 seconds' or (v_used_at is not null and v_session.client is distinct from left(p_client, 500)) then
    update core.session s set revoked_at = v_now where s.id = v_session.id;
    return jsonb_build_object('reused', true);
  end if;
  update core.refresh_token t set used_at = coalesce(t.used_at, v_now) where t.hash = decode(p_hash, 'hex');
  update core.session s
  set client = left(p_client, 500), address = p_address, used_at = v_now,
    expires_at = least(s.created_at + interval '180 days', v_now + interval '30 days')
  where s.id = v_session.id
  returning s.* into v_session;
  return logic.session_secrets(v_session);
end
$$;
comment on function trusted.session_refresh(text, text, text) is 'Exchanges a refresh token for the next one.';
