-- POST a transaction: up to 1,000 operations over several collections, all or nothing: {id, seq, records}. p_id is the write's own id
-- (see Idempotency-Key); p_base_versions: {recordId: version}, on which it is based; p_on_conflict: what becomes of a field that
-- somebody else changed since then to another value, and of a record that somebody else deleted (reject, theirs, yours).
-- p_queue: what became of those before it in a queue that is replayed (see transaction_basis); no client can say that.
-- Raises PT404 unknown_record, unknown_collection, PT403 not_permitted, PT409 conflict, record_exists,
-- PT410 transaction_expired, PT422 transaction_reused, invalid_operation, invalid_path, not_a_number, number_out_of_range, not_a_list,
-- invalid_document_fields, position_order. With p_queue PT424 depends_on_refused, too.
create or replace function api.transaction_apply(
  p_workspace_id uuid, p_operations jsonb, p_base_versions jsonb default '{}', p_on_conflict text default 'reject', p_id text default null,
  p_queue jsonb default null)
returns jsonb
language plpgsql volatile
as $$
declare
  v_id constant uuid := nullif(current_setting('rowcast.transaction', true), '')::uuid;
  v_ids uuid[];
begin
  if logic.repeated_seq() is not null then
    v_ids := logic.operations_records(p_workspace_id, v_id, p_operations);
  else
    v_ids := logic.operations_run(p_workspace_id, p_operations, logic.transaction_basis(p_base_versions, p_on_conflict, p_queue));
  end if;
  return logic.transaction_shape(p_workspace_id, v_id, v_ids);
end
$$;
comment on function api.transaction_apply(uuid, jsonb, jsonb, text, text, jsonb) is 'Applies operations as one transaction.';
