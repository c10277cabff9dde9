-- depends: 0011.undo
-- What is left where the log was trimmed: `rowcast compact` (see trusted.log_compact).

alter table core.clock add column floor_at timestamptz;
comment on column core.clock.floor is 'Changes up to this seq are trimmed: of each record there is a baseline, and nothing else.';
comment on column core.clock.floor_at is 'The time of the change at the floor; null while nothing was trimmed.';

comment on column core.change.action is 'created, updated, moved, deleted, restored; comment, attachment, schema; access: of members and roles; baseline: what a trim left of a record''s last change up to the floor, which is no history.';

alter table core.transaction add column expired boolean not null default false;
comment on column core.transaction.expired is 'Its changes are trimmed, and all but its key is gone: a repeat is refused.';
