-- What the stream of a source system says of a change; p_record is the record of today, null where it left the reader's sight.
-- The form `record` is the native event with the whole record (?include=record). Null data: this form says nothing of it.
create or replace function faces.event(
  p_form text, p_change core.change, p_record core.record, p_native jsonb, out event text, out data jsonb)
language plpgsql stable
as $$
begin
  case p_form
    when 'record' then
      event := logic.event_name(p_change);
      data := p_native || case when logic.change_is_of_document(p_change)
        then jsonb_build_object('record', logic.record_shape(p_record)) else '{}' end;
    when 'atlas' then
      data := faces.atlas_event(p_change, p_record);
  end case;
end
$$;
comment on function faces.event(text, core.change, core.record, jsonb) is 'Name and data of an event in another form than the native one.';
