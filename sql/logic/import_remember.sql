-- The transactions of imported rows: row n made the n-th change behind p_before.
create or replace function logic.import_remember(p_workspace_id uuid, p_rows jsonb, p_before bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into core.transaction (workspace_id, actor_id, id, function, first_seq, last_seq)
  select p_workspace_id, core.entered_actor(), (r.value ->> 'transactionId')::uuid, 'record_import', p_before + r.n, p_before + r.n
  from jsonb_array_elements(p_rows) with ordinality r(value, n);
end
$$;
comment on function logic.import_remember(uuid, jsonb, bigint) is 'Remembers the transactions of imported rows.';
