-- Lets in who has signed in; a personal access token only where p_token_too says that it is good enough.
-- Answers the account. Raises PT401 unauthenticated, PT403 sign_in_required.
create or replace function logic.sign_in_check(p_token_too boolean default false) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor constant uuid := core.entered_actor();
begin
  if v_actor is null or not logic.session_live(logic.entered_session(), v_actor) then
    perform logic.raise_refusal('unauthenticated');
  end if;
  if not p_token_too and exists (
      select from core.session s where s.id = logic.entered_session() and s.kind = 'token') then
    raise sqlstate 'PT403' using hint = 'sign_in_required',
      message = 'A personal access token can''t do this: sign in.';
  end if;
  return v_actor;
end
$$;
comment on function logic.sign_in_check(boolean) is 'The account that has signed in; refuses everybody else.';
