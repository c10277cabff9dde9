-- Any process may deliver it.
create or replace function logic.mail__500_wake() returns trigger
language plpgsql volatile
as $$
begin
  perform pg_notify('rowcast', 'mail');
  return null;
end
$$;
comment on function logic.mail__500_wake() is 'Wakes who delivers mails.';

create or replace trigger mail__500_wake
  after insert on core.mail
  for each statement execute function logic.mail__500_wake();
