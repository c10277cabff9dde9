-- The form `record`: the native event with the whole record of today (?include=record).
create or replace function faces.record_event(
  p_change core.change, p_record core.record, p_native jsonb, out event text, out data jsonb)
language sql stable parallel safe
as $$
  select logic.event_name(p_change),
    p_native || case when logic.change_is_of_document(p_change)
      then jsonb_build_object('record', logic.record_shape(p_record)) else '{}' end
$$;
comment on function faces.record_event(core.change, core.record, jsonb) is 'A change as the native event with its record.';
