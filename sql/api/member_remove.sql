-- DELETE a member: removes somebody, or leaves oneself. His open streams end.
-- Raises PT403 not_permitted (also a token without the scope), PT404 unknown_member, PT409 last_owner.
create or replace function api.member_remove(p_workspace_id uuid, p_account uuid) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_member core.member;
begin
  if logic.repeated_seq() is null then
    if p_account is distinct from core.entered_actor() then
      perform logic.manage_check();
    else
      perform logic.scope_check('manage');
    end if;
    v_member := logic.member_find(p_workspace_id, p_account);
    if v_member.role = 'owner' and not logic.is_owner(p_workspace_id, core.entered_actor()) then
      perform logic.raise_refusal('not_permitted');
    end if;
    delete from core.member m where m.workspace_id = p_workspace_id and m.account_id = p_account;
  end if;
  return jsonb_build_object('id', p_account, 'seq', logic.written_seq(p_workspace_id));
end
$$;
comment on function api.member_remove(uuid, uuid) is 'Removes a member.';
