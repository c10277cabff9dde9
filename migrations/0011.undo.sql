-- depends: 0006.accounts
-- What undo needs beyond the log: how a step or a list operation is taken back by its meaning, and which writes are still there to undo.

alter table core.change add column inverse jsonb;
comment on column core.change.inverse is 'Of fields that were changed by a step or a list operation: the operations that take it back, whatever the value is by then. Null where there is none.';

alter table core.transaction
  drop column undoes,
  add column skipped jsonb;
comment on column core.transaction.undone_by is 'The write that took this one back.';
comment on column core.transaction.skipped is 'What that one left alone, since somebody had changed it meanwhile.';

create index transaction_undo_idx on core.transaction (workspace_id, actor_id, last_seq) where first_seq is not null;
