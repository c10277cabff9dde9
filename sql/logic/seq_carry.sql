-- Carries the last seq and the time of its change on: see seq_carried. Only for callers who hold the clock of the workspace.
-- Answers the seq.
create or replace function logic.seq_carry(p_workspace_id uuid, p_seq bigint, p_at timestamptz) returns bigint
language plpgsql volatile
as $$
begin
  if set_config('rowcast.at', p_at::text, true) is null
      or set_config('rowcast.seq', p_workspace_id || ' ' || pg_current_xact_id() || ' ' || p_seq, true) is null then
    return null;
  end if;
  return p_seq;
end
$$;
comment on function logic.seq_carry(uuid, bigint, timestamptz) is 'Remembers the end of a log for the rest of the transaction.';
