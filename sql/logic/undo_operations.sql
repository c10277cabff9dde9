-- The operations that take a write back, the last change first: what it changed of documents gets its old value where nobody has changed
-- it since; where somebody has, steps and list operations are taken back by their meaning, and the rest is left alone and told in
-- skipped: [{recordId, key, yours (what undo would have given back), theirs}], key null for a record as a whole. What it created is
-- deleted, unless somebody else has worked on it; what it deleted is restored.
-- What a deletion did to other records refers to it again: it is restored first.
-- Definer: it reads the log; what the caller may not see today is left alone.
create or replace function logic.undo_operations(
  p_workspace_id uuid, p_transaction core.transaction, out operations jsonb, out skipped jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_change core.change;
  v_record core.record;
  v_records core.record[] := '{}';
  v_ids uuid[] := '{}';
  v_moved boolean[] := '{}';
  v_at integer;
  v_part record;
  v_operations jsonb[] := '{}';
  v_skipped jsonb[] := '{}';
begin
  if p_workspace_id is distinct from core.entered_workspace() then
    perform logic.raise_refusal('unknown_workspace');
  end if;
  for v_change in
    select c.* from logic.transaction_changes(p_transaction) c order by c.seq desc
  loop
    v_at := array_position(v_ids, v_change.record_id);
    if v_at is null then
      select r.* into v_record
      from core.record r
      where r.workspace_id = p_workspace_id and r.id = v_change.record_id and core.granted('rowcast.read', r.collection, r.audience);
      v_ids := v_ids || v_change.record_id;
      v_records := v_records || v_record;
      v_moved := v_moved || logic.record_moved_by_others(p_workspace_id, v_change.record_id, p_transaction.last_seq, p_transaction.actor_id);
      v_at := cardinality(v_ids);
    end if;
    v_part := logic.undo_change(v_change, v_records[v_at], p_transaction.last_seq, v_moved[v_at]);
    v_operations := v_operations || v_part.operations;
    v_skipped := v_skipped || v_part.skipped;
    v_records[v_at] := v_part.record;
  end loop;
  select coalesce(jsonb_agg(o.value order by (o.nth = 1 and o.value ->> 'type' = 'restore') desc, o.p, o.e), '[]') into operations
  from (
    select e.value, p.n as p, e.n as e, row_number() over (partition by e.value ->> 'recordId' order by p.n, e.n) as nth
    from unnest(v_operations) with ordinality p(value, n), jsonb_array_elements(p.value) with ordinality e(value, n)
  ) o;
  select coalesce(jsonb_agg(e.value order by p.n, e.n), '[]') into skipped
  from unnest(v_skipped) with ordinality p(value, n), jsonb_array_elements(p.value) with ordinality e(value, n);
end
$$;
comment on function logic.undo_operations(uuid, core.transaction) is 'The operations that take a write back.';
