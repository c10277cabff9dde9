-- What takes one change back, as operations; what has to be left alone; and the record as it is then (see undo_operations).
-- p_record is the record by then, null where the caller may not see it. p_seq: the end of the write; p_moved: others have moved the record since.
-- A place is given back between the records that it was between, as far as these still stand where they stood.
create or replace function logic.undo_change(
  p_change core.change, p_record core.record, p_seq bigint, p_moved boolean, out operations jsonb, out skipped jsonb, out record core.record)
language plpgsql stable
as $$
declare
  v_id constant jsonb := jsonb_build_object('recordId', p_change.record_id);
  v_is_deleted constant boolean := p_record.deleted_at is not null;
  v_neighbours uuid[];
  v_data jsonb;
  v_field record;
begin
  operations := '[]';
  skipped := '[]';
  record := p_record;
  if p_record.id is null or v_is_deleted <> (p_change.action = 'deleted')
      or p_change.action in ('created', 'restored')
        and (logic.record_changed_by_others(p_change) or logic.record_used_by_others(p_change, p_record)) then
    skipped := jsonb_build_array(v_id || '{"key": null}');
    return;
  end if;
  if p_change.action in ('created', 'restored') then
    operations := jsonb_build_array(v_id || '{"type": "delete"}');
    record.deleted_at := clock_timestamp();
  elsif p_change.action = 'deleted' then
    operations := jsonb_build_array(v_id || '{"type": "restore"}');
    record.deleted_at := null;
  end if;
  if p_change.position_before is not null then
    if p_moved then
      skipped := skipped || jsonb_build_array(v_id || jsonb_build_object(
        'key', 'position', 'yours', p_change.position_before, 'theirs', p_record.position));
    else
      select array_agg(case when not logic.record_moved_by_others(p_change.workspace_id, n.id, p_seq, p_change.actor_id) then n.id end order by n.n)
      into v_neighbours
      from unnest(p_change.neighbours_before) with ordinality n(id, n);
      operations := operations || jsonb_build_array(v_id || jsonb_build_object(
        'type', 'place', 'position', p_change.position_before, 'after', v_neighbours[1], 'before', v_neighbours[2]));
    end if;
  end if;
  for v_field in
    select b.key, nullif(b.value, 'null') as old, p_change.patch -> b.key as new, p_record.data -> b.key as now,
      coalesce(p_change.inverse -> b.key, '[]') as steps
    from jsonb_each(p_change.before) b
  loop
    if v_field.now is not distinct from nullif(v_field.new, 'null') then
      operations := operations || jsonb_build_array(v_id || jsonb_build_object(
        'type', 'revert', 'key', v_field.key, 'value', v_field.old, 'operations', v_field.steps));
      record.data := logic.jsonb_put(record.data, array[v_field.key], v_field.old);
    else
      v_data := logic.steps_back(record.data, v_field.steps);
      if v_data is null then
        skipped := skipped || jsonb_build_array(v_id || jsonb_build_object(
          'key', v_field.key, 'yours', v_field.old, 'theirs', v_field.now));
      else
        operations := operations || (select jsonb_agg(v_id || s.value order by s.n) from jsonb_array_elements(v_field.steps) with ordinality s(value, n));
        record.data := v_data;
      end if;
    end if;
  end loop;
end
$$;
comment on function logic.undo_change(core.change, core.record, bigint, boolean) is 'What takes one change back.';
