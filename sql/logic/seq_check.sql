-- Raises PT410 seq_expired, with {since}, where the log of the entered workspace was trimmed behind a seq; PT422 unknown_seq where there is none such.
-- Null is no seq, and fine.
create or replace function logic.seq_check(p_workspace_id uuid, p_seq bigint) returns void
language plpgsql stable
as $$
declare
  v_since constant jsonb := logic.history_since(p_workspace_id);
begin
  if p_seq < (v_since ->> 'seq')::bigint then
    raise sqlstate 'PT410' using message = format('The history of this workspace is kept from seq %s on.', v_since ->> 'seq'),
      hint = 'seq_expired', detail = jsonb_build_object('since', v_since);
  end if;
  if p_seq is not null and (p_seq > (logic.log_position(p_workspace_id)).seq or logic.log_verdict(p_workspace_id, null, p_seq, null) is not null) then
    raise sqlstate 'PT422' using message = 'The log has no such seq.', hint = 'unknown_seq';
  end if;
end
$$;
comment on function logic.seq_check(uuid, bigint) is 'Whether the log has a seq.';
