-- A role of the entered workspace. Raises PT422 unknown_role.
create or replace function logic.role_find(p_workspace_id uuid, p_key text) returns core.role
language plpgsql stable
as $$
declare
  v_role core.role;
begin
  select * into v_role from core.role r where r.workspace_id = p_workspace_id and r.key = p_key;
  if v_role.key is null then
    raise sqlstate 'PT422' using hint = 'unknown_role', message = 'There is no such role in this workspace.';
  end if;
  return v_role;
end
$$;
comment on function logic.role_find(uuid, text) is 'A role by its key.';
