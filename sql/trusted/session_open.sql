-- Opens a session of an account whose holder has proved himself, and answers its secrets, which are kept as hashes only:
-- {user, sessionId, expiresAt, cookie, refreshToken}. p_verified_hash: the hash that a password was right for; one that is no longer the
-- account's opens nothing. p_password_hash: the same password hashed by today's parameters.
-- Locks: the account. Raises PT401 wrong_credentials.
create or replace function trusted.session_open(
  p_account_id uuid, p_client text, p_address text, p_verified_hash text default null, p_password_hash text default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_account core.account;
  v_session core.session;
  v_cookie constant text := logic.secret_make();
begin
  select * into v_account from core.account a where a.id = p_account_id for no key update;
  if v_account.id is null or v_account.disabled_at is not null
      or (p_verified_hash is not null and v_account.password_hash is distinct from p_verified_hash) then
    raise sqlstate 'PT401' using message = 'E-mail address or password is wrong.', hint = 'wrong_credentials';
  end if;
  if p_password_hash is not null then
    update core.account a set password_hash = p_password_hash where a.id = p_account_id;
  end if;
  delete from core.attempt a
  where a.key in (
    logic.attempt_key('sign in as ' || v_account.email),
    logic.attempt_key('sign in from ' || p_address || ' as ' || v_account.email));
  insert into core.session (account_id, kind, secret_hash, client, address, expires_at)
  values (p_account_id, 'sign-in', logic.secret_hash(v_cookie), left(p_client, 500), p_address, clock_timestamp() + interval '30 days')
  returning * into v_session;
  return logic.session_secrets(v_session) || jsonb_build_object('cookie', v_cookie);
end
$$;
comment on function trusted.session_open(uuid, text, text, text, text) is 'Opens a session and answers its secrets.';
