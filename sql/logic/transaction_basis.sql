-- What a transaction goes by beside its operations: {versions: on which it is based, by the records' ids in lower case; onConflict; own: the writes that
-- are no conflict to it, which are itself and those before it in its queue, {id: true} (found by a binary search); refused: the records that refused writes before it
-- in its queue were to create, {recordId: {transactionId, code}}}. p_queue: {earlier, refused} of those two.
create or replace function logic.transaction_basis(p_base_versions jsonb, p_on_conflict text, p_queue jsonb) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'versions', coalesce((select jsonb_object_agg(lower(b.key), b.value) from jsonb_each(p_base_versions) b), '{}'),
    'onConflict', coalesce(p_on_conflict, 'reject'),
    'own', (
      select jsonb_object_agg(o.id, true)
      from jsonb_array_elements_text(coalesce(p_queue -> 'earlier', '[]') || to_jsonb(current_setting('rowcast.transaction', true))) o(id)),
    'refused', coalesce(p_queue -> 'refused', '{}'))
$$;
comment on function logic.transaction_basis(jsonb, text, jsonb) is 'What a transaction goes by beside its operations.';
