-- Whose a cookie or a personal access token is (p_hash: of its secret, hex): {accountId, sessionId, kind, expiresAt, stale}. That the session
-- lives is judged again with every call; the rest never changes, so the process may remember it.
-- Raises PT401 unauthenticated.
create or replace function trusted.session_find(p_hash text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_session core.session;
begin
  select * into v_session from core.session s where s.secret_hash = decode(p_hash, 'hex');
  if v_session.id is null or not logic.session_live(v_session.id, v_session.account_id) then
    perform logic.raise_refusal('unauthenticated');
  end if;
  return jsonb_build_object(
    'accountId', v_session.account_id,
    'sessionId', v_session.id,
    'kind', v_session.kind,
    'expiresAt', extract(epoch from v_session.expires_at),
    'stale', v_session.used_at < statement_timestamp() - interval '1 hour');
end
$$;
comment on function trusted.session_find(text) is 'The session of a cookie or a personal access token.';
