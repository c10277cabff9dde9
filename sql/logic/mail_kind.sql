-- What a mail has become by the time of its delivery: whether there is an account is looked up here, where nobody waits for the answer.
-- Null: it has no reader.
create or replace function logic.mail_kind(p_mail core.mail) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_mail.kind = 'password-reset' and not a.found then null
    when p_mail.kind = 'verify-email' and a.found then 'already-registered'
    else p_mail.kind
  end
  from (
    select exists (
      select from core.account a where lower(a.email) = lower(p_mail.address) and a.disabled_at is null) as found
  ) a
$$;
comment on function logic.mail_kind(core.mail) is 'The kind of a mail, at its delivery.';
