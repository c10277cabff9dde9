drop index core.transaction_undo_idx;
alter table core.transaction drop column skipped, add column undoes uuid;
comment on column core.transaction.undone_by is null;
alter table core.change drop column inverse;
