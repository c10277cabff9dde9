-- POST me/tokens: a personal access token, for programs. The answer alone has the token itself; a repeat no longer does.
-- Raises PT401 unauthenticated, PT403 sign_in_required.
create or replace function api.token_create(p_name text, p_scopes text[], p_expires_in_days integer default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor constant uuid := logic.sign_in_check();
begin
  if logic.repeated_seq() is not null then
    return jsonb_build_object('name', p_name, 'scopes', p_scopes);
  end if;
  return logic.token_issue(v_actor, p_name, p_scopes, p_expires_in_days);
end
$$;
comment on function api.token_create(text, text[], integer) is 'Makes a personal access token.';
