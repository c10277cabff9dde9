-- depends: 0001.schemas
-- People, tenants, and who may do what where.
-- Tenant data has workspace_id as the first column of its primary key and of every unique and foreign key, so that the
-- schema can be distributed by workspace. Accounts, workspaces and templates are not tenant data.

create table core.account (
  id uuid primary key default gen_random_uuid(),
  email text not null check (email = btrim(email) and position('@' in email) > 1 and length(email) <= 320),
  name text not null check (length(name) between 1 and 200),
  avatar text,
  password_hash text,
  access_epoch bigint not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  disabled_at timestamptz
);
create unique index account_email_key on core.account (lower(email));
comment on table core.account is 'A person who can sign in. Erased in place, never deleted.';
comment on column core.account.access_epoch is 'Raised by sign-out, disabling and change of password: what was handed out before no longer counts.';

create table core.template (
  key text primary key check (key ~ '^[a-z][a-z0-9_]{0,39}$'),
  definition jsonb not null
);
comment on table core.template is 'What a new workspace starts with: a copy of templates/<key>.toml, written by the migration.';

create table core.workspace (
  workspace_id uuid primary key default gen_random_uuid(),
  number integer not null generated always as identity,
  name text not null check (length(name) between 1 and 200),
  slug text,
  template text not null,
  epoch uuid not null default gen_random_uuid(),
  created_at timestamptz not null default clock_timestamp(),
  deleted_at timestamptz
);
comment on table core.workspace is 'A tenant. Its number is the 001 of TSK-001-0001; a restore gives it a new epoch.';

create table core.clock (
  workspace_id uuid primary key references core.workspace,
  floor bigint not null default 0
);
comment on table core.clock is 'One row per workspace: the lock under which seq is taken, and the floor of seq after a trim. Never updated in normal work.';

create table core.role (
  workspace_id uuid not null references core.workspace,
  key text not null check (key ~ '^[a-z][a-z0-9_]{0,39}$'),
  label text not null,
  read text[] not null default '{}',
  edit text[] not null default '{}',
  may text[] not null default '{}',
  position integer not null default 0,
  primary key (workspace_id, key)
);
comment on table core.role is 'What the members of a role may do, as sets of tokens.';
comment on column core.role.read is 'Tokens: * (everything), a collection, <collection>:own, <collection>:unassigned.';
comment on column core.role.edit is 'Tokens as in read.';
comment on column core.role.may is '<verb>:<token>, verb being one of create, move, delete, comment, manage.';

create table core.member (
  workspace_id uuid not null references core.workspace,
  account_id uuid not null,
  role text not null,
  joined_at timestamptz not null default clock_timestamp(),
  primary key (workspace_id, account_id),
  foreign key (workspace_id, role) references core.role
);
create index member_account_idx on core.member (account_id);
comment on table core.member is 'An account in a workspace, with its role.';
