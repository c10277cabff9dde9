-- POST a ticket: with it a page of another origin opens one stream within the next 15 seconds (EventSource sends no headers).
-- Answers {ticket, expiresIn}. Raises PT401 unauthenticated, PT403 sign_in_required.
create or replace function api.ticket_create() returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor constant uuid := logic.sign_in_check(p_token_too => true);
  v_ticket constant text := logic.secret_make();
begin
  if logic.entered_session() is null then
    raise sqlstate 'PT403' using hint = 'sign_in_required', message = 'A ticket is of a session: sign in.';
  end if;
  insert into core.ticket (hash, session_id, expires_at)
  values (logic.secret_hash(v_ticket), logic.entered_session(), clock_timestamp() + interval '15 seconds');
  return jsonb_build_object('ticket', v_ticket, 'expiresIn', 15);
end
$$;
comment on function api.ticket_create() is 'A single-use ticket for a stream.';
