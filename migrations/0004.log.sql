-- depends: 0003.records
-- The change log, and the writes that made it.
-- No check constraints and no triggers with WHEN here or on core.record: PostgreSQL parses their expressions anew for every
-- statement. logic.change_append is the only writer of the log, and record__200_version judges records.

create table core.transaction (
  workspace_id uuid not null,
  actor_id uuid not null,
  id uuid not null,
  at timestamptz not null default clock_timestamp(),
  function text,
  request_hash bytea,
  first_seq bigint,
  last_seq bigint,
  undoes uuid,
  undone_by uuid,
  primary key (workspace_id, actor_id, id)
);
comment on table core.transaction is 'Every write that took effect, by the id that its client (or the edge) gave it: a repeat takes effect once.';
comment on column core.transaction.workspace_id is 'The nil uuid for calls that concern no workspace.';
comment on column core.transaction.first_seq is 'Its changes in the log are those from here to last_seq; null: it changed nothing, and last_seq is what it answered.';

create table core.change (
  workspace_id uuid not null,
  seq bigint not null,
  at timestamptz not null,
  actor_id uuid,
  transaction_id uuid,
  action text not null,
  collection text,
  record_id uuid,
  version integer,
  patch jsonb,
  before jsonb,
  position text collate "C",
  position_before text collate "C",
  audience_before uuid[],
  audience_after uuid[],
  document jsonb,
  primary key (workspace_id, seq)
);
create index change_record_idx on core.change (record_id, seq);
comment on table core.change is 'The log: one row per changed record, seq gapless and in commit order per workspace. Append-only.';
comment on column core.change.action is 'created, updated, moved, deleted, restored; access: of members and roles, without a record.';
comment on column core.change.patch is 'Each changed field with its new value, null where it is gone. A created or restored record''s fields stand in document alone.';
comment on column core.change.before is 'Each changed field with its old value, null where there was none: the exact inverse of patch.';
comment on column core.change.document is 'The whole record, where it is created, restored, or its audience changes.';
