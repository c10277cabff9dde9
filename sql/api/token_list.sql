-- GET me/tokens. Raises PT401 unauthenticated, PT403 sign_in_required.
create or replace function api.token_list() returns jsonb
language sql stable
as $$ select jsonb_build_object('tokens', logic.sessions_of('token'), 'nextCursor', null) $$;
comment on function api.token_list() is 'The caller''s personal access tokens.';
