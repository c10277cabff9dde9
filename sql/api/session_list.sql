-- GET me/sessions. Raises PT401 unauthenticated, PT403 sign_in_required.
create or replace function api.session_list() returns jsonb
language sql stable
as $$ select jsonb_build_object('sessions', logic.sessions_of('sign-in'), 'nextCursor', null) $$;
comment on function api.session_list() is 'Where the caller is signed in.';
