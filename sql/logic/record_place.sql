-- Gives a record back a place in manual order: how undo takes a move back (see position_back). Raises PT404 unknown_record, PT403 not_permitted.
create or replace function logic.record_place(p_workspace_id uuid, p_id text, p_position text, p_before uuid, p_after uuid) returns core.record
language plpgsql volatile
as $$
declare
  v_record core.record := logic.record_find_live(p_workspace_id, p_id);
  v_position text;
begin
  if not core.permits('move', v_record.collection, v_record.audience) then
    perform logic.raise_refusal('not_permitted');
  end if;
  v_position := logic.position_back(v_record, p_position, p_before, p_after);
  perform set_config('rowcast.written', v_record.id::text, true);
  update core.record r
  set position = v_position
  where r.workspace_id = p_workspace_id and r.id = v_record.id
  returning r.* into v_record;
  perform set_config('rowcast.written', '', true);
  return v_record;
end
$$;
comment on function logic.record_place(uuid, text, text, uuid, uuid) is 'Gives a record its place back.';
