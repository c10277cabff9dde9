-- What a password is to be checked against: {accountId, passwordHash}, both null where nobody can sign in by this address; the
-- process then checks against a hash that nothing fits, which takes as long. The attempt is counted first, by the address that it comes
-- from, by account and by both, whether there is such an account or not.
-- Raises PT429 too_many_attempts.
create or replace function trusted.sign_in_begin(p_email text, p_address text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_account core.account;
begin
  perform logic.attempt_take('sign in from ' || p_address, 30, '5 seconds');
  perform logic.attempt_take('sign in as ' || btrim(p_email), 20, '1 minute');
  perform logic.attempt_take('sign in from ' || p_address || ' as ' || btrim(p_email), 5, '20 seconds');
  select * into v_account
  from core.account a
  where lower(a.email) = lower(btrim(p_email)) and a.disabled_at is null and a.password_hash is not null;
  return jsonb_build_object('accountId', v_account.id, 'passwordHash', v_account.password_hash);
end
$$;
comment on function trusted.sign_in_begin(text, text) is 'Counts an attempt to sign in, and answers what its password is checked against.';
