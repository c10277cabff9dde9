-- By a change's mark a cursor proves that it belongs to this very log: after a restore, a recovery to an earlier point or a
-- fail-over that lost commits, another change (or none) stands at its seq.
create or replace function logic.change_mark(p_change core.change) returns text
language sql stable parallel safe
as $$
  select left(md5(concat_ws(' ', p_change.workspace_id, p_change.seq, extract(epoch from p_change.at),
    p_change.transaction_id, p_change.record_id, p_change.version)), 8)
$$;
comment on function logic.change_mark(core.change) is 'A short hash of a change, for cursors.';
