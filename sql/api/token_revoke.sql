-- DELETE me/tokens/{id}. Raises PT401 unauthenticated, PT403 sign_in_required, PT404 unknown_session.
create or replace function api.token_revoke(p_token uuid) returns jsonb
language sql volatile
as $$ select logic.session_revoke(p_token, 'token') $$;
comment on function api.token_revoke(uuid) is 'Revokes a personal access token.';
