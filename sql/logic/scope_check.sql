-- Lets in a session with this scope; one without scopes may everything. Raises PT403 not_permitted.
create or replace function logic.scope_check(p_scope text) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from core.session s where s.id = logic.entered_session() and p_scope <> all (s.scopes)) then
    raise sqlstate 'PT403' using hint = 'not_permitted', message = 'This token lacks the scope: ' || p_scope;
  end if;
end
$$;
comment on function logic.scope_check(text) is 'Refuses a token without a scope.';
