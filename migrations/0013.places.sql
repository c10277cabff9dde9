-- depends: 0012.retention
-- How undo takes a move back by its meaning, where positions have been given anew since (see logic.positions_spread).

alter table core.change add column neighbours_before uuid[];
comment on column core.change.neighbours_before is 'Of a move that can be undone: the records right before and right behind the place where the record stood; null at an end.';
