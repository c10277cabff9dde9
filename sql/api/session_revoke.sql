-- DELETE me/sessions/{id}. Raises PT401 unauthenticated, PT403 sign_in_required, PT404 unknown_session.
create or replace function api.session_revoke(p_session uuid) returns jsonb
language sql volatile
as $$ select logic.session_revoke(p_session, 'sign-in') $$;
comment on function api.session_revoke(uuid) is 'Signs the caller out elsewhere.';
