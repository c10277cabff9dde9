-- That a record is one of the collection that an address is about: another is no such record there.
-- Raises PT404 unknown_record.
create or replace function logic.face_record_check(p_workspace_id uuid, p_collection text, p_id text) returns void
language plpgsql stable
as $$
begin
  if (logic.record_find(p_workspace_id, p_id)).collection <> p_collection then
    perform logic.raise_refusal('unknown_record');
  end if;
end
$$;
comment on function logic.face_record_check(uuid, text, text) is 'Refuses a record of another collection.';
