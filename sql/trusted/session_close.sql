-- Signs out: ends a session, named by its id or by the hash (hex) of one of its refresh tokens.
create or replace function trusted.session_close(p_session_id uuid default null, p_refresh_hash text default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update core.session s
  set revoked_at = clock_timestamp()
  where s.revoked_at is null and s.kind = 'sign-in'
    and s.id in (
      select p_session_id
      union
      select t.session_id from core.refresh_token t where t.hash = decode(p_refresh_hash, 'hex'));
  return jsonb_build_object('status', 'signed_out');
end
$$;
comment on function trusted.session_close(uuid, text) is 'Ends a session.';
