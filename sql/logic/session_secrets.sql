-- Gives a session a new refresh token: {user, sessionId, expiresAt, refreshToken}.
create or replace function logic.session_secrets(p_session core.session) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_refresh_token constant text := logic.secret_make();
begin
  insert into core.refresh_token (hash, session_id) values (logic.secret_hash(v_refresh_token), p_session.id);
  return jsonb_build_object(
    'user', (select logic.account_shape(a) from core.account a where a.id = p_session.account_id),
    'sessionId', p_session.id,
    'expiresAt', extract(epoch from p_session.expires_at),
    'refreshToken', v_refresh_token);
end
$$;
comment on function logic.session_secrets(core.session) is 'A new refresh token for a session, with what else a sign-in answers.';
