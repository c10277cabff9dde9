drop table core.invitation, core.mail, core.attempt, core.ticket, core.one_time_token, core.refresh_token, core.session;
alter table core.account
  drop column password_changed_at,
  drop column erased_through,
  drop column erased_at,
  add column access_epoch bigint not null default 0;
drop schema trusted;
