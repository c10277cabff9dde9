-- Raises PT422 unknown_seq where the log of a workspace has not come so far, or does not go back so far. Null is no seq, and fine.
create or replace function logic.seq_check(p_workspace_id uuid, p_seq bigint) returns void
language plpgsql stable
as $$
begin
  if p_seq is not null and (p_seq > (logic.log_position(p_workspace_id)).seq or logic.log_verdict(p_workspace_id, null, p_seq, null) is not null) then
    raise sqlstate 'PT422' using message = 'The log has no such seq.', hint = 'unknown_seq';
  end if;
end
$$;
comment on function logic.seq_check(uuid, bigint) is 'Whether the log has a seq.';
