-- The uuid of a record from the id in a path, which is that or its display id. Null where a display id is nobody's.
create or replace function logic.record_id(p_workspace_id uuid, p_id text) returns uuid
language plpgsql stable
as $$
begin
  if logic.is_uuid(p_id) then
    return p_id::uuid;
  end if;
  return (select r.id from core.record r where r.workspace_id = p_workspace_id and r.display_id = upper(p_id));
end
$$;
comment on function logic.record_id(uuid, text) is 'The uuid behind a uuid or display id.';
