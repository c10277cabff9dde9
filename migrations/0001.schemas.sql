-- The schemas, and who may use them. Functions are callable by nobody until they are granted.
-- Migrations run as rowcast_owner (see server/rowcast/schema.py), which therefore owns what they make.

create schema if not exists core;
create schema logic;
create schema api;
create schema faces;
create schema reporting;

comment on schema core is 'Tables, types and the few helpers that policies need. Kept: changed by migrations only.';
comment on schema logic is 'Private functions and trigger functions. Disposable: re-loaded from sql/logic and sql/triggers.';
comment on schema api is 'The callable surface, one function per file. Disposable: re-loaded from sql/api.';
comment on schema faces is 'The JSON shapes of the source systems. Disposable: re-loaded from sql/faces.';
comment on schema reporting is 'Views and functions for analysts. Disposable: re-loaded from sql/reporting.';

alter default privileges revoke execute on functions from public;

grant usage on schema core, logic, api, faces to rowcast_server;
grant usage on schema reporting to rowcast_analyst;

-- What the sql/ loader remembers: the bundle that is loaded, and the signature of each object in it.
create table core.bundle (
  only_row boolean primary key default true check (only_row),
  number integer not null,
  hash text not null,
  loaded_at timestamptz not null default clock_timestamp()
);
comment on table core.bundle is 'The sql/ bundle that is loaded: its increasing number and the hash of its files.';

create table core.bundle_object (
  kind text not null check (kind in ('function', 'trigger', 'view')),
  name text not null,
  signature text not null,
  primary key (kind, name)
);
comment on table core.bundle_object is 'Each object of the loaded bundle with the text of its signature, so that a changed one can be dropped first.';
