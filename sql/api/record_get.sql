-- One record, deleted or not (deletedAt tells); with p_at as it was at that seq.
-- Raises PT404 unknown_record, PT410 seq_expired, PT422 unknown_seq.
create or replace function api.record_get(p_workspace_id uuid, p_id text, p_at bigint default null) returns jsonb
language plpgsql stable
as $$
declare
  v_record core.record := logic.record_find(p_workspace_id, p_id);
begin
  if p_at is not null then
    perform logic.seq_check(p_workspace_id, p_at);
    v_record := logic.record_at(v_record, p_at);
    if v_record.id is null then
      perform logic.raise_refusal('unknown_record');
    end if;
  end if;
  return logic.record_shape(v_record);
end
$$;
comment on function api.record_get(uuid, text, bigint) is 'A record by its id or display id, as it is or as it was.';
