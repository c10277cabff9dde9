-- Changes the caller's password; his other sessions end. p_verified_hash: the hash that the old one was right for.
-- Raises PT401 unauthenticated, wrong_credentials; PT403 sign_in_required.
create or replace function trusted.password_change(p_password_hash text, p_verified_hash text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor constant uuid := logic.sign_in_check();
begin
  if logic.repeated_seq() is null then
    if not exists (select from core.account a where a.id = v_actor and a.password_hash is not distinct from p_verified_hash) then
      raise sqlstate 'PT401' using message = 'The password is wrong.', hint = 'wrong_credentials';
    end if;
    perform logic.password_set(v_actor, p_password_hash, logic.entered_session());
  end if;
  return (select logic.account_shape(a) from core.account a where a.id = v_actor);
end
$$;
comment on function trusted.password_change(text, text) is 'Changes the caller''s password.';
