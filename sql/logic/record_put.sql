-- Writes a record's whole document, for a caller who has checked that he may. One that changes nothing writes nothing. p_inverse: per
-- field the operations that take its steps back, for the log.
create or replace function logic.record_put(p_record core.record, p_data jsonb, p_inverse jsonb default '{}') returns core.record
language plpgsql volatile
as $$
begin
  if p_data <> p_record.data then
    perform set_config('rowcast.written', p_record.id::text, true);
    perform set_config('rowcast.inverse', coalesce(nullif(p_inverse, '{}')::text, ''), true);
    update core.record r
    set data = p_data
    where r.workspace_id = p_record.workspace_id and r.id = p_record.id
    returning r.* into p_record;
    perform set_config('rowcast.written', '', true);
    perform set_config('rowcast.inverse', '', true);
  end if;
  return p_record;
end
$$;
comment on function logic.record_put(core.record, jsonb, jsonb) is 'Writes the document of a record.';
