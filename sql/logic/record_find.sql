-- A record by the id in a path, which is its uuid or its display id, under the rights of the entered workspace.
-- Raises PT404 unknown_record.
create or replace function logic.record_find(p_workspace_id uuid, p_id text) returns core.record
language plpgsql stable
as $$
declare
  v_record core.record;
begin
  if logic.is_uuid(p_id) then
    select * into v_record from core.record r where r.workspace_id = p_workspace_id and r.id = p_id::uuid;
  else
    select * into v_record from core.record r where r.workspace_id = p_workspace_id and r.display_id = upper(p_id);
  end if;
  if v_record.id is null then
    perform logic.raise_refusal('unknown_record');
  end if;
  return v_record;
end
$$;
comment on function logic.record_find(uuid, text) is 'A record by uuid or display id, deleted or not.';
