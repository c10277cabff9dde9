-- A record that an address is about: one of another collection is no such record there. Raises PT404 unknown_record.
create or replace function logic.face_record(p_workspace_id uuid, p_collection text, p_id text) returns core.record
language plpgsql stable
as $$
declare
  v_record constant core.record := logic.record_find(p_workspace_id, p_id);
begin
  if v_record.collection <> p_collection then
    perform logic.raise_refusal('unknown_record');
  end if;
  return v_record;
end
$$;
comment on function logic.face_record(uuid, text, text) is 'A record of the collection that an address is about, deleted or not.';
