-- The last seq of a workspace whose clock this transaction holds, carried from one change to the next in a setting.
-- It is believed only where it names this workspace and this very transaction (a session-level set would make gaps), and
-- being transaction-local it is taken back by a rollback to a savepoint, as the log itself is.
-- One plain expression, which its callers have in theirs instead of a call.
create or replace function logic.seq_carried(p_workspace_id uuid) returns bigint
language sql stable
as $$
  select case
    when starts_with(current_setting('rowcast.seq', true), p_workspace_id::text || ' ' || pg_current_xact_id()::text || ' ')
    then split_part(current_setting('rowcast.seq', true), ' ', 3)::bigint
  end
$$;
comment on function logic.seq_carried(uuid) is 'The last seq of a workspace, if this transaction holds its clock; else null.';
