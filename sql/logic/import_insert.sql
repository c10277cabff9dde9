-- Inserts imported rows and remembers the transaction of each. Answers how many.
-- Real data arrives in any state: where who imports manages the collection, no workflow says with which value a field begins.
create or replace function logic.import_insert(p_workspace_id uuid, p_collection text, p_rows jsonb) returns integer
language plpgsql volatile
as $$
declare
  v_before constant bigint := logic.seq_carried(p_workspace_id);
begin
  perform logic.exempt_set('rowcast.importing', p_workspace_id, core.permits('manage', p_collection));
  insert into core.record (workspace_id, collection, data, created_at)
  select p_workspace_id, p_collection, r.value -> 'data',
    coalesce((r.value ->> 'createdAt')::timestamptz, clock_timestamp())
  from jsonb_array_elements(p_rows) with ordinality r(value, n)
  order by r.n;
  perform logic.exempt_set('rowcast.importing', p_workspace_id, false);
  perform logic.import_remember(p_workspace_id, p_rows, v_before);
  return jsonb_array_length(p_rows);
end
$$;
comment on function logic.import_insert(uuid, text, jsonb) is 'Inserts imported rows.';
