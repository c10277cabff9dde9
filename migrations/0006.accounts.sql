-- depends: 0005.row-level-security
-- Who somebody is: sessions and their secrets, one-time tokens, the outbox of mails. Nothing here is tenant data, and none of
-- it is open to the server's role: functions with the owner's rights alone read and write it.
-- Secrets are kept as hashes. Mails carry signed ids, which are made from the server's key when they are sent.

create schema trusted;
comment on schema trusted is 'What the process and the administrator''s commands call: functions that believe what they are told, such as that a password was right. No request can name one.';
grant usage on schema trusted to rowcast_server;

alter table core.account
  drop column access_epoch,
  add column erased_at timestamptz,
  add column erased_through uuid,
  add column password_changed_at timestamptz;
comment on table core.account is 'A person who can sign in, by a verified e-mail address. Erased in place, never deleted.';
comment on column core.account.password_hash is 'argon2id, as PHC string; null: signs in by other means, or not at all.';
comment on column core.account.erased_at is 'Its person is gone: what is left is an id that says nothing, for other people''s history.';
comment on column core.account.erased_through is 'How far its erasure has come through the workspaces, in order of their ids; all ones: done.';

create table core.session (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references core.account,
  kind text not null check (kind in ('sign-in', 'token')),
  secret_hash bytea not null unique,
  name text check (length(name) between 1 and 200),
  scopes text[] check (scopes <@ '{read,write,manage}'),
  client text,
  address text,
  created_at timestamptz not null default clock_timestamp(),
  used_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  revoked_at timestamptz
);
create index session_account_idx on core.session (account_id);
create index session_expires_idx on core.session (expires_at);
comment on table core.session is 'What a request proves: that somebody signed in (a cookie, refresh tokens, access tokens), or holds a personal access token.';
comment on column core.session.secret_hash is 'Of the cookie, or of the token: sha256 of a random secret.';
comment on column core.session.scopes is 'What a token is good for, besides reading; null: everything that its account may.';
comment on column core.session.client is 'The User-Agent that it was opened with: a refresh token is good for no other.';

create table core.refresh_token (
  hash bytea primary key,
  session_id uuid not null references core.session on delete cascade,
  created_at timestamptz not null default clock_timestamp(),
  used_at timestamptz
);
create index refresh_token_session_idx on core.refresh_token (session_id);
comment on table core.refresh_token is 'The refresh tokens of a sign-in: each is good once. One that comes back later was stolen, and ends the whole session.';

create table core.one_time_token (
  id uuid primary key default gen_random_uuid(),
  purpose text not null check (purpose in ('verify-email', 'password-reset')),
  email text not null,
  payload jsonb not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  used_at timestamptz
);
create index one_time_token_email_idx on core.one_time_token (lower(email));
comment on table core.one_time_token is 'What a mail asked for, once: its link carries the id, signed.';
comment on column core.one_time_token.payload is 'Of verify-email: the name and password hash of the account that it will make.';

create unlogged table core.ticket (
  hash bytea primary key,
  session_id uuid not null,
  expires_at timestamptz not null
);
comment on table core.ticket is 'Tickets for an EventSource of another origin: good once, for some seconds. Lost in a crash.';

create unlogged table core.attempt (
  key text primary key,
  full_at timestamptz not null
);
comment on table core.attempt is 'Attempts to sign in and the like, by account and by address: a token bucket each (GCRA). Lost in a crash.';
comment on column core.attempt.full_at is 'When the bucket is full again.';

create table core.mail (
  id uuid primary key default gen_random_uuid(),
  kind text not null,
  address text not null,
  data jsonb not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null default clock_timestamp() + interval '1 day',
  next_at timestamptz not null default clock_timestamp(),
  attempts integer not null default 0,
  sent_at timestamptz,
  failed_at timestamptz,
  error text
);
create index mail_next_idx on core.mail (next_at) where sent_at is null and failed_at is null;
create index mail_address_idx on core.mail (lower(address));
comment on table core.mail is 'The outbox: a mail is written with the change that causes it, and delivered by any process.';
comment on column core.mail.next_at is 'When it is to be tried (again). Who takes it moves this on, so that no other process has it meanwhile.';
comment on column core.mail.failed_at is 'Given up.';

create table core.invitation (
  workspace_id uuid not null references core.workspace,
  id uuid not null default gen_random_uuid(),
  email text not null check (email = btrim(email) and position('@' in email) > 1 and length(email) <= 320),
  role text not null,
  invited_by uuid,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  accepted_at timestamptz,
  accepted_by uuid,
  revoked_at timestamptz,
  primary key (workspace_id, id)
);
create unique index invitation_open_key on core.invitation (workspace_id, lower(email)) where accepted_at is null and revoked_at is null;
comment on table core.invitation is 'Who was asked into a workspace, by e-mail address, in which role, and what became of it.';

alter table core.session enable row level security;
alter table core.refresh_token enable row level security;
alter table core.one_time_token enable row level security;
alter table core.ticket enable row level security;
alter table core.attempt enable row level security;
alter table core.mail enable row level security;
alter table core.invitation enable row level security;

create policy invitation_entered on core.invitation for select to rowcast_server
  using (workspace_id = core.entered_workspace() and core.permits('manage', '*'));
grant select on core.invitation to rowcast_server;
