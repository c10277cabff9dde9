-- depends: 0002.workspaces
-- Collections, their fields, and the records themselves.

create table core.collection (
  workspace_id uuid not null references core.workspace,
  key text not null check (key ~ '^[a-z][a-z0-9_]{0,39}$'),
  plural text not null check (plural ~ '^[a-z][a-z0-9_]{0,39}$'),
  label text not null,
  prefix text not null check (prefix ~ '^[A-Z][A-Z0-9]{0,9}$'),
  number_floor bigint not null default 0,
  user_fields text[] not null default '{}',
  workflow jsonb,
  position integer not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  primary key (workspace_id, key),
  unique (workspace_id, plural),
  unique (workspace_id, prefix)
);
comment on table core.collection is 'A kind of record in a workspace.';
comment on column core.collection.number_floor is 'Numbers up to here are never given again, although a purge may have removed their records.';
comment on column core.collection.user_fields is 'The keys of its fields of type user, kept by a trigger on core.field: who stands in one is in the record''s audience.';

create table core.field (
  workspace_id uuid not null,
  collection text not null,
  key text not null check (length(key) between 1 and 100),
  label text not null,
  type text not null check (type in (
    'text', 'long_text', 'number', 'boolean', 'date', 'datetime', 'select', 'multi_select', 'user', 'reference', 'url', 'json')),
  required boolean not null default false,
  options jsonb not null default '[]' check (jsonb_typeof(options) = 'array'),
  default_value jsonb,
  position integer not null default 0,
  primary key (workspace_id, collection, key),
  foreign key (workspace_id, collection) references core.collection on delete cascade
);
comment on table core.field is 'A typed field of a collection.';

create table core.record (
  workspace_id uuid not null,
  id uuid not null default gen_random_uuid(),
  collection text not null,
  number bigint not null,
  display_id text not null,
  data jsonb not null default '{}',
  position text collate "C" not null,
  version integer not null default 1,
  audience uuid[] not null,
  user_fields text[] not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  created_by uuid,
  updated_at timestamptz not null default clock_timestamp(),
  updated_by uuid,
  deleted_at timestamptz,
  primary key (workspace_id, id),
  unique (workspace_id, collection, number),
  unique (workspace_id, display_id),
  foreign key (workspace_id, collection) references core.collection
) with (fillfactor = 80);
create index record_id_idx on core.record (id);
create index record_position_idx on core.record (workspace_id, collection, position, id);
comment on table core.record is 'The document of every source system: numbered, versioned and logged by its triggers, whoever writes.';
comment on column core.record.audience is 'Who it concerns: its creator and assignees, and the nil uuid where nobody is assigned. Kept by a trigger.';
comment on column core.record.user_fields is 'Those of its collection, where its writes find them without a look-up. Kept by a trigger on core.field.';
comment on column core.record.position is 'Manual order: a fractional index, compared in the C collation, ties by id.';
