-- Notes that a session is in use, and prolongs a sign-in: 30 days from now, 180 in all. Answers {expiresAt}.
create or replace function trusted.session_touch(p_session_id uuid) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_session core.session;
begin
  update core.session s
  set used_at = clock_timestamp(),
    expires_at = case when s.kind = 'token' then s.expires_at
      else least(s.created_at + interval '180 days', clock_timestamp() + interval '30 days') end
  where s.id = p_session_id and s.revoked_at is null
  returning * into v_session;
  return jsonb_build_object('expiresAt', extract(epoch from v_session.expires_at));
end
$$;
comment on function trusted.session_touch(uuid) is 'Notes that a session is in use.';
