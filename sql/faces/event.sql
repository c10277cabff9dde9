-- What the stream of a source system says of a change; p_record is the record of today, null where it left the reader's sight.
-- The form `record` is the native event with the whole record (?include=record). Null data: this form says nothing of it.
create or replace function faces.event(
  p_form text, p_change core.change, p_record core.record, p_native jsonb, out event text, out data jsonb)
language plpgsql stable
as $$
begin
  case p_form
    when 'record' then
      event := p_change.collection || '-' || p_change.action;
      data := p_native || jsonb_build_object('record', logic.record_shape(p_record));
    when 'atlas' then
      data := faces.atlas_event(p_change, p_record);
  end case;
end
$$;
comment on function faces.event(text, core.change, core.record, jsonb) is 'Name and data of an event in another form than the native one.';
