-- The record that an operation works on, for who may change it. One that somebody else has deleted since the version that the transaction is based on is found too: drafts_write says what becomes of it.
-- Raises PT404 unknown_record, PT403 not_permitted.
create or replace function logic.operation_record(p_workspace_id uuid, p_operation jsonb, p_basis jsonb) returns core.record
language plpgsql stable
as $$
declare
  v_record constant core.record := logic.record_find(p_workspace_id, coalesce(p_operation ->> 'recordId', p_operation ->> 'id'));
begin
  if v_record.deleted_at is not null and not logic.deleted_since(v_record, logic.record_base(v_record, p_basis), p_basis -> 'own') then
    perform logic.raise_refusal('unknown_record');
  end if;
  if not core.granted('rowcast.edit', v_record.collection, v_record.audience) then
    perform logic.raise_refusal('not_permitted');
  end if;
  return v_record;
end
$$;
comment on function logic.operation_record(uuid, jsonb, jsonb) is 'The record that an operation changes.';
