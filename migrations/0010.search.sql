-- depends: 0008.comments
-- What lists and search find records by, besides their numbers.

-- For lists in order of creation. Nothing in it ever changes, so updates stay heap-only.
create index record_created_idx on core.record (workspace_id, collection, created_at, number);

alter table core.workspace add column language text not null default 'english';
comment on column core.workspace.language is 'The text search configuration (of pg_catalog) by which its texts are searched.';

-- The search index. It is made from the log, behind the writes: core.search_head says how far it is good, and a query looks at what
-- changed since by itself. Every row's words hold a lexeme of its workspace, and every query asks for it, so that one index serves all.
create table core.search_entry (
  workspace_id uuid not null,
  record_id uuid not null,
  comment_id uuid not null default '00000000-0000-0000-0000-000000000000',
  words tsvector not null,
  primary key (workspace_id, record_id, comment_id)
);
create index search_entry_words_idx on core.search_entry using gin (words) with (gin_pending_list_limit = 256);
comment on table core.search_entry is 'The words of a record, or of one of its comments (else the nil uuid), as the search index has them.';

create table core.search_head (
  workspace_id uuid primary key,
  seq bigint not null,
  rebuilt uuid,
  scheme jsonb not null
);
comment on table core.search_head is 'How far the search index of a workspace is good. Written by trusted.search_index alone.';
comment on column core.search_head.seq is 'Changes up to here are in the index.';
comment on column core.search_head.rebuilt is 'While it is made anew: records with greater ids are not in it yet. Null: all are.';
comment on column core.search_head.scheme is 'The language and the fields that it was made by (see logic.search_scheme); others are a reason to make it anew.';

alter table core.search_entry enable row level security;
alter table core.search_head enable row level security;
