-- Moves a record: optionally to another value of a field (a column of a board), and to a place in manual order right
-- before one record, right after another, or between the two; naming neither leaves the place.
-- Raises PT404 unknown_record, PT403 not_permitted, PT412 version_mismatch, PT422 position_order.
create or replace function logic.record_move(
  p_workspace_id uuid, p_id text, p_field text, p_value jsonb, p_before text, p_after text, p_if_match text,
  out record core.record, out seq bigint)
language plpgsql volatile
as $$
declare
  v_data jsonb;
  v_position text;
begin
  seq := logic.repeated_seq();
  if seq is not null then
    record := logic.record_find(p_workspace_id, p_id);
    return;
  end if;
  record := logic.record_find_live(p_workspace_id, p_id);
  if not core.permits('move', record.collection, record.audience) then
    perform logic.raise_refusal('not_permitted');
  end if;
  perform logic.record_check_version(record, p_if_match);
  v_data := case when p_field is null then record.data
    else logic.jsonb_merge_patch(record.data, jsonb_build_object(p_field, p_value)) end;
  v_position := logic.position_for_move(record, p_before, p_after);
  if v_data = record.data and v_position = record.position then
    seq := logic.record_last_seq(p_workspace_id, record.id);
    return;
  end if;
  perform set_config('rowcast.written', record.id::text, true);
  update core.record r
  set data = v_data, position = v_position
  where r.workspace_id = p_workspace_id and r.id = record.id
  returning r.* into record;
  perform set_config('rowcast.written', '', true);
  seq := logic.seq_carried(p_workspace_id);
end
$$;
comment on function logic.record_move(uuid, text, text, jsonb, text, text, text) is 'Moves a record to another place, another column, or both.';
