-- What the caller's own password is checked against before he changes it: {passwordHash}. Counted as an attempt to sign in.
-- Raises PT401 unauthenticated, PT403 sign_in_required, PT429 too_many_attempts.
create or replace function trusted.password_check_begin() returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor constant uuid := logic.sign_in_check();
begin
  perform logic.attempt_take('password of ' || v_actor, 5, '20 seconds');
  return (select jsonb_build_object('passwordHash', a.password_hash) from core.account a where a.id = v_actor);
end
$$;
comment on function trusted.password_check_begin() is 'Counts an attempt at the caller''s own password, and answers what it is checked against.';
