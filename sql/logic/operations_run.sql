-- Runs the operations of a transaction, one after the other. What they make of a document is kept as a draft and written once: before
-- the next operation that is more than that (move, delete, restore; place, which only undo makes), and at the end; so a record has one change where it can.
-- p_basis: what it goes by (see transaction_basis). Answers the records that were worked on, in order of first mention. Refusals say which
-- operation (from 0) they are about, and which record.
-- Raises PT409 conflict with all conflicts, and whatever its operations do; then nothing of it remains. What fails where there are conflicts
-- already may do so for them, and they are told. PT424 depends_on_refused.
create or replace function logic.operations_run(p_workspace_id uuid, p_operations jsonb, p_basis jsonb) returns uuid[]
language plpgsql volatile
as $$
declare
  v_refused constant jsonb := coalesce(p_basis -> 'refused', '{}');
  v_operation jsonb;
  v_n integer := -1;
  v_at integer;
  v_id uuid;
  v_record core.record;
  v_touched uuid[] := '{}';
  v_ids uuid[] := '{}';
  v_places integer[] := '{}';
  v_collections text[] := '{}';
  v_of text[] := '{}';
  v_data jsonb[] := '{}';
  v_claims jsonb[] := '{}';
  v_inverses jsonb[] := '{}';
  v_draft record;
  v_at_once record;
  v_conflicts jsonb[] := '{}';
  v_conflict jsonb;
  v_hint text;
  v_detail text;
begin
  for v_operation in select o.value from jsonb_array_elements(p_operations) with ordinality o(value, n) order by o.n loop
    v_n := v_n + 1;
    if v_refused <> '{}' and v_operation ->> 'type' <> 'create' then
      perform logic.raise_depends_on_refused(p_workspace_id, array[
        coalesce(v_operation ->> 'recordId', v_operation ->> 'id'),
        case v_operation ->> 'type' when 'move' then v_operation ->> 'before' end,
        case v_operation ->> 'type' when 'move' then v_operation ->> 'after' end], v_refused, v_touched);
    end if;
    if v_operation ->> 'type' in ('move', 'place', 'delete', 'restore') then
      foreach v_conflict in array logic.drafts_write(p_workspace_id, v_ids, v_places, v_collections, v_data, v_claims, v_inverses, p_basis) loop
        v_conflicts := array_append(v_conflicts, v_conflict);
      end loop;
      v_ids := '{}';
      v_places := '{}';
      v_collections := '{}';
      v_of := '{}';
      v_data := '{}';
      v_claims := '{}';
      v_inverses := '{}';
      v_at_once := logic.operation_at_once(p_workspace_id, v_operation, p_basis);
      v_id := v_at_once.record_id;
      if v_at_once.conflicts <> '[]' then
        v_conflicts := array_append(v_conflicts, v_at_once.conflicts -> 0);
      end if;
    elsif v_operation ->> 'type' = 'create' then
      v_id := coalesce(v_operation ->> 'recordId', v_operation ->> 'id', gen_random_uuid()::text)::uuid;
      v_ids := v_ids || v_id;
      v_places := v_places || v_n;
      v_collections := v_collections
        || (logic.collection_find(p_workspace_id, coalesce(v_operation ->> 'collection', v_operation ->> 'table'))).key;
      v_of := v_of || v_collections[cardinality(v_collections)];
      v_data := v_data || coalesce(v_operation -> 'data', '{}');
      v_claims := v_claims || jsonb '[]';
    else
      v_id := logic.record_id(p_workspace_id, coalesce(v_operation ->> 'recordId', v_operation ->> 'id'));
      v_at := array_position(v_ids, v_id);
      if v_at is null then
        v_record := logic.operation_record(p_workspace_id, v_operation, p_basis);
        v_ids := v_ids || v_id;
        v_places := v_places || v_n;
        v_collections := v_collections || null::text;
        v_of := v_of || v_record.collection;
        v_data := v_data || v_record.data;
        v_claims := v_claims || jsonb '[]';
        v_at := cardinality(v_ids);
      end if;
      perform logic.operation_collection_check(p_workspace_id, v_operation, v_of[v_at]);
      v_draft := logic.operation_run(v_operation, v_data[v_at], v_claims[v_at]);
      v_data[v_at] := v_draft.data;
      v_claims[v_at] := v_draft.claims;
      if v_draft.inverse is not null then
        v_inverses := v_inverses || jsonb_build_object('draft', v_at, 'operations', v_draft.inverse);
      end if;
    end if;
    if v_id <> all (v_touched) then
      v_touched := v_touched || v_id;
    end if;
  end loop;
  v_n := null;
  foreach v_conflict in array logic.drafts_write(p_workspace_id, v_ids, v_places, v_collections, v_data, v_claims, v_inverses, p_basis) loop
    v_conflicts := array_append(v_conflicts, v_conflict);
  end loop;
  if v_conflicts <> '{}' then
    perform logic.raise_conflicts(v_conflicts);
  end if;
  return v_touched;
exception when others then
  get stacked diagnostics v_hint = pg_exception_hint, v_detail = pg_exception_detail;
  if sqlstate not like 'PT%' or v_hint = 'conflict' then
    raise;
  end if;
  if v_conflicts <> '{}' then
    perform logic.raise_conflicts(v_conflicts);
  end if;
  if v_refused <> '{}' and v_hint = 'invalid_document_fields' then
    perform logic.raise_depends_on_refused(p_workspace_id, array(
      select s.value #>> '{}' from jsonb_path_query(p_operations, 'strict $.** ? (@.type() == "string")') s(value)), v_refused, v_touched);
  end if;
  perform logic.raise_with(sqlstate, sqlerrm, v_hint, v_detail,
    case when v_n is null then '{}' else jsonb_build_object('operation', v_n) end);
end
$$;
comment on function logic.operations_run(uuid, jsonb, jsonb) is 'Runs the operations of a transaction.';
