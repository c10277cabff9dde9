-- As record_find, for who wants to change a record: a deleted one is gone (PT404), until it is restored.
create or replace function logic.record_find_live(p_workspace_id uuid, p_id text) returns core.record
language plpgsql stable
as $$
declare
  v_record constant core.record := logic.record_find(p_workspace_id, p_id);
begin
  if v_record.deleted_at is not null then
    perform logic.raise_refusal('unknown_record');
  end if;
  return v_record;
end
$$;
comment on function logic.record_find_live(uuid, text) is 'A record by uuid or display id that is not deleted.';
