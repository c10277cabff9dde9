-- Whose a ticket is, which is used up: {accountId, sessionId, expiresAt}. p_hash: of the ticket, hex. Raises PT401 invalid_ticket.
create or replace function trusted.ticket_redeem(p_hash text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_ticket core.ticket;
  v_session core.session;
begin
  delete from core.ticket t where t.hash = decode(p_hash, 'hex') returning * into v_ticket;
  select * into v_session from core.session s where s.id = v_ticket.session_id;
  if v_session.id is null or v_ticket.expires_at <= clock_timestamp()
      or not logic.session_live(v_session.id, v_session.account_id) then
    raise sqlstate 'PT401' using message = 'The ticket is not good, or no longer.', hint = 'invalid_ticket';
  end if;
  return jsonb_build_object(
    'accountId', v_session.account_id,
    'sessionId', v_session.id,
    'expiresAt', extract(epoch from v_session.expires_at));
end
$$;
comment on function trusted.ticket_redeem(text) is 'The session of a ticket, once.';
