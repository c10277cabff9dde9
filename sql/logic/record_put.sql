-- Writes a record's whole document, for a caller who has checked that he may. One that changes nothing writes nothing.
create or replace function logic.record_put(p_record core.record, p_data jsonb) returns core.record
language plpgsql volatile
as $$
begin
  if p_data <> p_record.data then
    perform set_config('rowcast.written', p_record.id::text, true);
    update core.record r
    set data = p_data
    where r.workspace_id = p_record.workspace_id and r.id = p_record.id
    returning r.* into p_record;
    perform set_config('rowcast.written', '', true);
  end if;
  return p_record;
end
$$;
comment on function logic.record_put(core.record, jsonb) is 'Writes the document of a record.';
