-- Carries the last seq on: see seq_carried. Only for callers who hold the clock of the workspace.
create or replace function logic.seq_carry(p_workspace_id uuid, p_seq bigint) returns void
language plpgsql volatile
as $$
begin
  perform set_config('rowcast.seq', p_workspace_id || ' ' || pg_current_xact_id() || ' ' || p_seq, true);
end
$$;
comment on function logic.seq_carry(uuid, bigint) is 'Remembers the last seq of a workspace for the rest of the transaction.';
