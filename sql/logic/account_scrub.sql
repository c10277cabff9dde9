-- Takes a person out of the tables that concern no workspace, and out of the invitations to his address. Locks: the account.
create or replace function logic.account_scrub(p_account_id uuid) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_email text;
begin
  select a.email into v_email from core.account a where a.id = p_account_id for update;
  delete from core.one_time_token t where lower(t.email) = lower(v_email);
  delete from core.mail m where lower(m.address) = lower(v_email);
  update core.mail m
  set data = m.data || '{"inviter": "Erased user"}'
  where m.data ->> 'inviterId' = p_account_id::text;
  delete from core.session s where s.account_id = p_account_id;
  update core.invitation i
  set email = 'erased@invalid', revoked_at = case when i.accepted_at is null then coalesce(i.revoked_at, clock_timestamp()) end
  where lower(i.email) = lower(v_email);
  update core.account a
  set email = a.id || '@invalid', name = 'Erased user', avatar = null, password_hash = null,
    disabled_at = coalesce(a.disabled_at, clock_timestamp()), erased_at = clock_timestamp()
  where a.id = p_account_id;
  perform pg_notify('rowcast', 'upkeep');
end
$$;
comment on function logic.account_scrub(uuid) is 'Takes a person out of accounts, sessions, mails and invitations.';
