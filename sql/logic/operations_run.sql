-- Runs the operations of a transaction, one after the other. What they make of a document is kept as a draft and written once: before
-- the next operation that is more than that (move, delete, restore; place, which only undo makes), and at the end; so a record has one change where it can.
-- Answers the records that were worked on, in order of first mention. Refusals say which operation (from 0) or record they are about.
-- Raises PT409 conflict with all conflicts (see drafts_write), and whatever its operations do; then nothing of it remains.
create or replace function logic.operations_run(
  p_workspace_id uuid, p_operations jsonb, p_base_versions jsonb, p_on_conflict text) returns uuid[]
language plpgsql volatile
as $$
declare
  v_operation jsonb;
  v_n integer := -1;
  v_at integer;
  v_id uuid;
  v_record core.record;
  v_touched uuid[] := '{}';
  v_ids uuid[] := '{}';
  v_collections text[] := '{}';
  v_data jsonb[] := '{}';
  v_claims jsonb[] := '{}';
  v_inverses jsonb[] := '{}';
  v_draft record;
  v_conflicts jsonb := '[]';
  v_hint text;
  v_detail text;
begin
  for v_operation in select o.value from jsonb_array_elements(p_operations) with ordinality o(value, n) order by o.n loop
    v_n := v_n + 1;
    if v_operation ->> 'type' in ('move', 'place', 'delete', 'restore') then
      v_conflicts := v_conflicts
        || logic.drafts_write(p_workspace_id, v_ids, v_collections, v_data, v_claims, v_inverses, p_base_versions, p_on_conflict);
      v_ids := '{}';
      v_collections := '{}';
      v_data := '{}';
      v_claims := '{}';
      v_inverses := '{}';
      exit when v_conflicts <> '[]';
      v_id := logic.operation_at_once(p_workspace_id, v_operation);
    elsif v_operation ->> 'type' = 'create' then
      v_id := coalesce(v_operation ->> 'recordId', v_operation ->> 'id', gen_random_uuid()::text)::uuid;
      v_ids := v_ids || v_id;
      v_collections := v_collections
        || (logic.collection_find(p_workspace_id, coalesce(v_operation ->> 'collection', v_operation ->> 'table'))).key;
      v_data := v_data || coalesce(v_operation -> 'data', '{}');
      v_claims := v_claims || jsonb '[]';
      v_inverses := v_inverses || jsonb '{}';
    else
      v_id := logic.record_id(p_workspace_id, coalesce(v_operation ->> 'recordId', v_operation ->> 'id'));
      v_at := array_position(v_ids, v_id);
      if v_at is null then
        v_record := logic.operation_record(p_workspace_id, v_operation);
        v_ids := v_ids || v_id;
        v_collections := v_collections || null::text;
        v_data := v_data || v_record.data;
        v_claims := v_claims || jsonb '[]';
        v_inverses := v_inverses || jsonb '{}';
        v_at := cardinality(v_ids);
      end if;
      v_draft := logic.operation_run(v_operation, v_data[v_at], v_claims[v_at], v_inverses[v_at]);
      v_data[v_at] := v_draft.data;
      v_claims[v_at] := v_draft.claims;
      v_inverses[v_at] := v_draft.inverse;
    end if;
    if v_id <> all (v_touched) then
      v_touched := v_touched || v_id;
    end if;
  end loop;
  v_n := null;
  v_conflicts := v_conflicts
    || logic.drafts_write(p_workspace_id, v_ids, v_collections, v_data, v_claims, v_inverses, p_base_versions, p_on_conflict);
  if v_conflicts <> '[]' then
    raise sqlstate 'PT409' using message = 'Somebody else changed the same fields.', hint = 'conflict',
      detail = jsonb_build_object('conflicts', v_conflicts);
  end if;
  return v_touched;
exception when others then
  if sqlstate not like 'PT%' or v_n is null then
    raise;
  end if;
  get stacked diagnostics v_hint = pg_exception_hint, v_detail = pg_exception_detail;
  perform logic.raise_with(sqlstate, sqlerrm, v_hint, v_detail, jsonb_build_object('operation', v_n));
end
$$;
comment on function logic.operations_run(uuid, jsonb, jsonb, text) is 'Runs the operations of a transaction.';
