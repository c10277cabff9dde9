-- Writes what a transaction's operations made of some records: of new ones (p_collections says into which collection) and of those
-- that are there (null). p_claims: of each the fields whose value was said. Where others changed one of them since the version that
-- the transaction is based on (p_basis, see transaction_basis), to another value, it is left as it is (`theirs`), written over (`yours`), or
-- a conflict; so is a record as a whole that others have deleted: it stays deleted, is restored, or is a conflict. Those are the answer, of all records, and
-- the caller gives up. A refusal says by recordId whose it is, and by operation where that was named first (p_places).
-- p_inverses: what takes the steps on their other fields back, for the log: {draft: place of the record in p_ids, operations on one field}, in the order
-- of the steps. Put together here, all at once: one by one would take the square of their number.
-- Raises as record_create, as record_restore and as the triggers of core.record.
create or replace function logic.drafts_write(
  p_workspace_id uuid, p_ids uuid[], p_places integer[], p_collections text[], p_data jsonb[], p_claims jsonb[], p_inverses jsonb[], p_basis jsonb)
returns jsonb[]
language plpgsql volatile
as $$
declare
  v_rule constant text := p_basis ->> 'onConflict';
  v_inverses constant jsonb := (
    select jsonb_object_agg(d.draft, d.inverse)
    from (
      select f.draft, jsonb_object_agg(f.key, f.operations) as inverse
      from (
        select i.value ->> 'draft' as draft, o.value -> 'path' ->> 0 as key, jsonb_agg(o.value order by i.n desc, o.n) as operations
        from unnest(p_inverses) with ordinality i(value, n), jsonb_array_elements(i.value -> 'operations') with ordinality o(value, n)
        group by 1, 2
      ) f
      group by f.draft
    ) d);
  v_record core.record;
  v_data jsonb;
  v_base integer;
  v_found jsonb;
  v_conflicts jsonb[] := '{}';
  v_id uuid;
  v_place integer;
  v_hint text;
  v_detail text;
begin
  for n in 1 .. cardinality(p_ids) loop
    v_id := p_ids[n];
    v_place := p_places[n];
    if p_collections[n] is not null then
      perform logic.record_create(p_workspace_id, p_collections[n], p_data[n], v_id);
      continue;
    end if;
    select r.* into v_record from core.record r where r.workspace_id = p_workspace_id and r.id = v_id;
    v_data := p_data[n];
    v_base := logic.record_base(v_record, p_basis);
    v_found := '[]';
    if v_record.deleted_at is not null and v_rule = 'yours' then
      v_record := (logic.record_restore(p_workspace_id, v_id::text)).record;
    elsif v_record.deleted_at is not null then
      v_found := logic.document_conflict(v_record, v_base, v_data, null);
      v_data := v_record.data;
    elsif v_base is not null and v_rule <> 'yours' and p_claims[n] <> '[]' then
      v_found := logic.conflicts_since(v_record, v_base,
        logic.jsonb_with_fields(v_record.data, v_data, array(select jsonb_array_elements_text(p_claims[n]))), p_basis -> 'own');
      v_data := logic.jsonb_with_fields(v_data, v_record.data, array(select f.value ->> 'key' from jsonb_array_elements(v_found) f(value)));
    end if;
    if v_rule = 'reject' and v_found <> '[]' then
      v_conflicts := v_conflicts || array(select jsonb_array_elements(v_found));
      continue;
    end if;
    perform logic.record_put(v_record, v_data,
      coalesce(v_inverses -> n::text, '{}') - array(select jsonb_array_elements_text(p_claims[n])));
  end loop;
  return v_conflicts;
exception when others then
  if sqlstate not like 'PT%' then
    raise;
  end if;
  get stacked diagnostics v_hint = pg_exception_hint, v_detail = pg_exception_detail;
  perform logic.raise_with(sqlstate, sqlerrm, v_hint, v_detail, jsonb_build_object('recordId', v_id, 'operation', v_place));
end
$$;
comment on function logic.drafts_write(uuid, uuid[], integer[], text[], jsonb[], jsonb[], jsonb[], jsonb) is 'Writes the records that a transaction has worked on.';
