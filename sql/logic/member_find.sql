-- A member of the entered workspace. Raises PT404 unknown_member.
create or replace function logic.member_find(p_workspace_id uuid, p_account uuid) returns core.member
language plpgsql stable
as $$
declare
  v_member core.member;
begin
  select * into v_member from core.member m where m.workspace_id = p_workspace_id and m.account_id = p_account;
  if v_member.account_id is null then
    raise sqlstate 'PT404' using hint = 'unknown_member', message = 'There is no such member in this workspace.';
  end if;
  return v_member;
end
$$;
comment on function logic.member_find(uuid, uuid) is 'A member by account.';
