-- Lets the caller give a role (its tokens) to somebody: only an owner makes owners, and nobody gives what he does not hold.
-- Raises PT403 not_permitted.
create or replace function logic.role_check(p_role core.role) returns void
language plpgsql stable
as $$
declare
  v_actor constant uuid := core.entered_actor();
begin
  if logic.is_owner(p_role.workspace_id, v_actor) then
    return;
  end if;
  if p_role.key = 'owner'
      or not logic.tokens_covered(logic.role_tokens(p_role.read, v_actor), current_setting('rowcast.read'), false)
      or not logic.tokens_covered(logic.role_tokens(p_role.edit, v_actor), current_setting('rowcast.edit'), false)
      or not logic.tokens_covered(logic.role_tokens(p_role.may, v_actor), current_setting('rowcast.may'), true) then
    perform logic.raise_refusal('not_permitted');
  end if;
end
$$;
comment on function logic.role_check(core.role) is 'Refuses who may not give a role.';
