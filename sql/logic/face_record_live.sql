-- As face_record, but a deleted one is gone. Raises PT404 unknown_record.
create or replace function logic.face_record_live(p_workspace_id uuid, p_collection text, p_id text) returns core.record
language plpgsql stable
as $$
declare
  v_record constant core.record := logic.face_record(p_workspace_id, p_collection, p_id);
begin
  if v_record.deleted_at is not null then
    perform logic.raise_refusal('unknown_record');
  end if;
  return v_record;
end
$$;
comment on function logic.face_record_live(uuid, text, text) is 'A record of the collection that an address is about.';
