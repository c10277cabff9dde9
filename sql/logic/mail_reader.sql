-- What a mail has become by the time of its delivery, and to which address it goes: whether there is an account is looked up here, where nobody
-- waits for the answer. Where there is, its own address counts, not the one that was typed: two addresses that are one in lower
-- case may be two mailboxes. kind null: it has no reader.
create or replace function logic.mail_reader(p_mail core.mail, out kind text, out address text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  kind := p_mail.kind;
  address := p_mail.address;
  if kind in ('password-reset', 'verify-email') then
    select a.email into address from core.account a where lower(a.email) = lower(p_mail.address) and a.disabled_at is null;
    kind := case when kind = 'password-reset' then case when found then kind end when found then 'already-registered' else kind end;
    address := coalesce(address, p_mail.address);
  end if;
end
$$;
comment on function logic.mail_reader(core.mail) is 'The kind and address of a mail, at its delivery.';
