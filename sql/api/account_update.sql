-- PATCH me: name and avatar; what is not given stays, an empty avatar goes. Raises PT401 unauthenticated, PT403 sign_in_required, PT422 invalid_account.
create or replace function api.account_update(p_name text default null, p_avatar text default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor constant uuid := logic.sign_in_check();
  v_account core.account;
begin
  perform logic.account_check('-@-', coalesce(p_name, '-'));
  if logic.repeated_seq() is null then
    update core.account a
    set name = coalesce(btrim(p_name), a.name), avatar = nullif(coalesce(p_avatar, a.avatar), '')
    where a.id = v_actor;
  end if;
  select * into v_account from core.account a where a.id = v_actor;
  return logic.account_shape(v_account);
end
$$;
comment on function api.account_update(text, text) is 'Changes the caller''s account.';
