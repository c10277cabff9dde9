-- The live sessions of the caller, of one kind, the newest first. Raises PT401 unauthenticated, PT403 sign_in_required.
create or replace function logic.sessions_of(p_kind text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor constant uuid := logic.sign_in_check();
begin
  return (
    select coalesce(jsonb_agg(logic.session_shape(s) order by s.created_at desc, s.id), '[]')
    from core.session s
    where s.account_id = v_actor and s.kind = p_kind and s.revoked_at is null and s.expires_at > statement_timestamp());
end
$$;
comment on function logic.sessions_of(text) is 'The caller''s sign-ins or personal access tokens.';
