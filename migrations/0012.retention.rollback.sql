alter table core.transaction drop column expired;
comment on column core.change.action is 'created, updated, moved, deleted, restored; access: of members and roles, without a record.';
comment on column core.clock.floor is null;
alter table core.clock drop column floor_at;
