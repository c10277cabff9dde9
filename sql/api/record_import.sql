-- Imports a chunk of rows: [{line, transactionId, data, createdAt?}]. Each row has a transaction id of its own, derived from file
-- and row, so that importing the same file again adds nothing. Answers {created, skipped, rejected: [{line, reason}], seq}.
-- One insert for all; only where that fails, one row at a time, so that a bad row is refused alone, with its reason.
-- Raises PT404 unknown_collection, PT403 not_permitted.
create or replace function api.record_import(p_workspace_id uuid, p_collection text, p_rows jsonb) returns jsonb
language plpgsql volatile
as $$
declare
  v_collection constant text := (logic.collection_find(p_workspace_id, p_collection)).key;
  v_new jsonb;
  v_row jsonb;
  v_created integer := 0;
  v_rejected jsonb := '[]';
begin
  if not core.permits('create', v_collection) then
    perform logic.raise_refusal('not_permitted');
  end if;
  v_new := logic.import_new_rows(p_workspace_id, p_rows);
  begin
    v_created := logic.import_insert(p_workspace_id, v_collection, v_new);
  exception when data_exception or integrity_constraint_violation or sqlstate 'PT413' or sqlstate 'PT422' then
    for v_row in select r.value from jsonb_array_elements(v_new) r loop
      begin
        v_created := v_created + logic.import_insert(p_workspace_id, v_collection, jsonb_build_array(v_row));
      exception when data_exception or integrity_constraint_violation or sqlstate 'PT413' or sqlstate 'PT422' then
        v_rejected := v_rejected || jsonb_build_object('line', v_row -> 'line', 'reason', sqlerrm);
      end;
    end loop;
  end;
  return jsonb_build_object(
    'created', v_created,
    'skipped', jsonb_array_length(p_rows) - jsonb_array_length(v_new),
    'rejected', v_rejected,
    'seq', (logic.log_position(p_workspace_id)).seq);
end
$$;
comment on function api.record_import(uuid, text, jsonb) is 'Imports rows as records, each once.';
