-- Takes a wish to reset a password. Whether there is such an account is looked up when the mail is delivered (see mail_take): neither the
-- answer nor its time tells. Raises PT429 too_many_attempts.
create or replace function trusted.password_reset_request(p_email text, p_address text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform logic.account_check(p_email, '-');
  perform logic.attempt_take('reset from ' || p_address, 20, '1 minute');
  perform logic.attempt_take('mail to ' || btrim(p_email), 5, '10 minutes');
  insert into core.one_time_token (purpose, email, expires_at)
  values ('password-reset', btrim(p_email), clock_timestamp() + interval '1 hour')
  returning id into v_id;
  perform logic.mail_put('password-reset', btrim(p_email), jsonb_build_object('tokenId', v_id), clock_timestamp() + interval '1 hour');
  return jsonb_build_object('status', 'reset_sent');
end
$$;
comment on function trusted.password_reset_request(text, text) is 'Takes a wish to reset a password.';
