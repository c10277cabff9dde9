-- Imports a chunk of rows: [{line, transactionId, data, createdAt?}]. Each row has a transaction id of its own, derived from file
-- and row, so that importing the same file again adds nothing. Answers {created, skipped, rejected: [{line, reason}], seq}.
-- One insert for all; only where that fails, one row at a time, so that a bad row is refused alone, with its reason.
-- The chunk that is sent again after a lost connection counts as created what it created the first time.
-- With p_dry_run everything happens and is taken back: the answer comes as the detail of PT200 dry_run, which the call's
-- subtransaction does not survive.
-- Raises PT404 unknown_collection, PT403 not_permitted, PT200 dry_run.
create or replace function api.record_import(
  p_workspace_id uuid, p_collection text, p_rows jsonb, p_dry_run boolean default false) returns jsonb
language plpgsql volatile
as $$
declare
  v_collection constant text := (logic.collection_find(p_workspace_id, p_collection)).key;
  v_earlier constant integer := logic.import_earlier(p_workspace_id);
  v_new jsonb;
  v_row jsonb;
  v_created integer := 0;
  v_rejected jsonb := '[]';
  v_answer jsonb;
begin
  if not core.permits('create', v_collection) then
    perform logic.raise_refusal('not_permitted');
  end if;
  v_new := logic.import_new_rows(p_workspace_id, p_rows);
  begin
    v_created := logic.import_insert(p_workspace_id, v_collection, v_new);
  exception when data_exception or integrity_constraint_violation or program_limit_exceeded or sqlstate 'PT409' or sqlstate 'PT413' or sqlstate 'PT422' then
    for v_row in select r.value from jsonb_array_elements(v_new) r loop
      begin
        v_created := v_created + logic.import_insert(p_workspace_id, v_collection, jsonb_build_array(v_row));
      exception when data_exception or integrity_constraint_violation or program_limit_exceeded or sqlstate 'PT409' or sqlstate 'PT413' or sqlstate 'PT422' then
        v_rejected := v_rejected || jsonb_build_object('line', v_row -> 'line', 'reason', sqlerrm);
      end;
    end loop;
  end;
  v_answer := jsonb_build_object(
    'created', v_earlier + v_created,
    'skipped', jsonb_array_length(p_rows) - jsonb_array_length(v_new) - v_earlier,
    'rejected', v_rejected,
    'seq', (logic.log_position(p_workspace_id)).seq);
  if p_dry_run then
    raise sqlstate 'PT200' using message = 'This is what would happen; nothing was written.', hint = 'dry_run', detail = v_answer;
  end if;
  return v_answer;
end
$$;
comment on function api.record_import(uuid, text, jsonb, boolean) is 'Imports rows as records, each once.';
