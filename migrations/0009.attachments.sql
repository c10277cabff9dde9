-- depends: 0006.accounts
-- Files of records: the rows. Their bytes are objects of a store (a directory, or S3), under a key that is made of ids alone.

alter table core.record add column attachment_count integer not null default 0;
comment on column core.record.attachment_count is 'How many attachments it has that are not removed. Kept by a trigger on core.attachment; its version stays.';

create table core.attachment (
  workspace_id uuid not null,
  id uuid not null default gen_random_uuid(),
  record_id uuid not null,
  collection text not null,
  audience uuid[] not null,
  name text not null check (length(name) between 1 and 200),
  type text not null check (type ~ '^[a-z0-9][a-z0-9!#$&^_.+-]{0,99}/[a-z0-9][a-z0-9!#$&^_.+-]{0,99}$'),
  size bigint not null check (size >= 0),
  sha256 bytea not null check (octet_length(sha256) = 32),
  storage_key text not null,
  created_by uuid,
  created_at timestamptz not null default clock_timestamp(),
  deleted_at timestamptz,
  primary key (workspace_id, id),
  unique (workspace_id, storage_key),
  foreign key (workspace_id, record_id) references core.record
);
create index attachment_record_idx on core.attachment (workspace_id, record_id, created_at, id);
comment on table core.attachment is 'A file of a record: what it is called, what is in it (sha256), and where its bytes are.';
comment on column core.attachment.audience is 'A copy of its record''s, kept by a trigger, for the policies.';
comment on column core.attachment.type is 'What its sender called it. Clients are told to believe it only where it is harmless.';
comment on column core.attachment.storage_key is 'Where its bytes are in the store. No client is ever told.';
comment on column core.attachment.deleted_at is 'Since when it is removed: 30 days later its row goes, and with it its bytes.';

alter table core.attachment enable row level security;

create policy attachment_read on core.attachment for select to rowcast_server
  using (workspace_id = core.entered_workspace() and core.granted('rowcast.read', collection, audience));
create policy attachment_create on core.attachment for insert to rowcast_server
  with check (workspace_id = core.entered_workspace() and core.granted('rowcast.edit', collection, audience));
create policy attachment_write on core.attachment for update to rowcast_server
  using (workspace_id = core.entered_workspace() and core.granted('rowcast.edit', collection, audience))
  with check (workspace_id = core.entered_workspace() and core.granted('rowcast.edit', collection, audience));

grant select on core.attachment to rowcast_server;
grant insert (workspace_id, id, record_id, name, type, size, sha256, storage_key) on core.attachment to rowcast_server;
grant update (deleted_at) on core.attachment to rowcast_server;
