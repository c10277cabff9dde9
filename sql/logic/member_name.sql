-- The name of somebody who is, or was, a member of the entered workspace; null for anybody else.
-- Definer, since accounts are open to nobody: for members, whose names everybody there may know.
create or replace function logic.member_name(p_workspace_id uuid, p_account text) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not logic.is_uuid(p_account) or p_workspace_id is distinct from core.entered_workspace()
      or not logic.members_ever(p_workspace_id, array[p_account::uuid]) then
    return null;
  end if;
  return (select a.name from core.account a where a.id = p_account::uuid);
end
$$;
comment on function logic.member_name(uuid, text) is 'The name of a member, also of one who left.';
