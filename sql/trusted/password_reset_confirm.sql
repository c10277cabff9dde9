-- Sets a new password: the link of the mail came back. All sessions end, and the holder is told by mail.
-- Raises PT422 invalid_token.
create or replace function trusted.password_reset_confirm(p_token_id uuid, p_password_hash text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_token constant core.one_time_token := logic.one_time_token_take(p_token_id, 'password-reset');
  v_account uuid;
begin
  select a.id into v_account from core.account a where lower(a.email) = lower(v_token.email) and a.disabled_at is null;
  if not found then
    perform logic.raise_refusal('invalid_token');
  end if;
  update core.one_time_token t
  set used_at = clock_timestamp()
  where lower(t.email) = lower(v_token.email) and t.purpose = 'password-reset' and t.used_at is null;
  perform logic.password_set(v_account, p_password_hash, null);
  return jsonb_build_object('status', 'password_changed');
end
$$;
comment on function trusted.password_reset_confirm(uuid, text) is 'Sets a new password by the link of a mail.';
