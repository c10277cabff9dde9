-- Takes a registration: the account is made when the link of its mail comes back (see registration_confirm), whether or not
-- there is one already. So neither the answer nor its time tells whether there is, and nobody can register an address
-- with a password of his own before its owner does.
-- Raises PT422 invalid_account, PT429 too_many_attempts.
create or replace function trusted.registration_request(
  p_email text, p_name text, p_password_hash text, p_address text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform logic.account_check(p_email, p_name);
  perform logic.attempt_take('register from ' || p_address, 20, '1 minute');
  perform logic.attempt_take('mail to ' || btrim(p_email), 5, '10 minutes');
  insert into core.one_time_token (purpose, email, payload, expires_at)
  values ('verify-email', btrim(p_email), jsonb_build_object('name', btrim(p_name), 'passwordHash', p_password_hash),
    clock_timestamp() + interval '1 day')
  returning id into v_id;
  perform logic.mail_put('verify-email', btrim(p_email), jsonb_build_object('tokenId', v_id, 'name', btrim(p_name)));
  return jsonb_build_object('status', 'verification_sent');
end
$$;
comment on function trusted.registration_request(text, text, text, text) is 'Takes a registration and has its address verified.';
