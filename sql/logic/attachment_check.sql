-- The record that somebody wants to add a file to, or take one from. Raises PT404 unknown_record, PT403 not_permitted.
create or replace function logic.attachment_check(p_workspace_id uuid, p_id text) returns core.record
language plpgsql stable
as $$
declare
  v_record constant core.record := logic.record_find_live(p_workspace_id, p_id);
begin
  if not core.granted('rowcast.edit', v_record.collection, v_record.audience) then
    perform logic.raise_refusal('not_permitted');
  end if;
  return v_record;
end
$$;
comment on function logic.attachment_check(uuid, text) is 'A record whose attachments the actor may change.';
