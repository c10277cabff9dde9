-- Carries the last seq and the time of its change on: see seq_carried. Only for callers who hold the clock of the workspace.
-- Answers the seq.
create or replace function logic.seq_carry(p_workspace_id uuid, p_seq bigint, p_at timestamptz) returns bigint
language sql volatile
as $$
  select case
    when set_config('rowcast.at', p_at::text, true) is not null
      and set_config('rowcast.seq', p_workspace_id::text || ' ' || pg_current_xact_id()::text || ' ' || p_seq::text, true) is not null
    then p_seq
  end
$$;
comment on function logic.seq_carry(uuid, bigint, timestamptz) is 'Remembers the end of a log for the rest of the transaction.';
