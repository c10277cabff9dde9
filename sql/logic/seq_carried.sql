-- The last seq of a workspace whose clock this transaction holds, carried from one change to the next in a setting.
-- It is believed only where it names this workspace and this very transaction (a session-level set would make gaps), and
-- being transaction-local it is taken back by a rollback to a savepoint, as the log itself is.
create or replace function logic.seq_carried(p_workspace_id uuid) returns bigint
language plpgsql volatile
as $$
declare
  v_carried constant text := current_setting('rowcast.seq', true);
  v_prefix constant text := p_workspace_id || ' ' || pg_current_xact_id() || ' ';
begin
  if starts_with(v_carried, v_prefix) then
    return substr(v_carried, length(v_prefix) + 1)::bigint;
  end if;
  return null;
end
$$;
comment on function logic.seq_carried(uuid) is 'The last seq of a workspace, if this transaction holds its clock; else null.';
