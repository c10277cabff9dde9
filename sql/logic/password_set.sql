-- Sets the password of an account, ends its sessions but one (tokens for programs too: who changes a password wants everybody out), and
-- tells its holder. Locks: the account.
create or replace function logic.password_set(p_account_id uuid, p_password_hash text, p_kept_session uuid) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_account core.account;
begin
  update core.account a
  set password_hash = p_password_hash, password_changed_at = clock_timestamp()
  where a.id = p_account_id
  returning * into v_account;
  update core.session s
  set revoked_at = clock_timestamp()
  where s.account_id = p_account_id and s.revoked_at is null and s.id is distinct from p_kept_session;
  delete from core.attempt a
  where a.key in (logic.attempt_key('sign in as ' || v_account.email), logic.attempt_key('password of ' || p_account_id));
  perform logic.mail_put('password-changed', v_account.email, jsonb_build_object('name', v_account.name));
end
$$;
comment on function logic.password_set(uuid, text, uuid) is 'Sets a password and ends other sessions.';
