-- POST a transfer: another member becomes owner, and the caller admin, both or neither.
-- Raises PT403 not_permitted, PT404 unknown_member.
create or replace function api.workspace_transfer(p_workspace_id uuid, p_account_id uuid) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor constant uuid := core.entered_actor();
begin
  if logic.repeated_seq() is null then
    perform logic.manage_check();
    if not logic.is_owner(p_workspace_id, v_actor) then
      perform logic.raise_refusal('not_permitted');
    end if;
    update core.member m
    set role = 'owner'
    where m.workspace_id = p_workspace_id and m.account_id = (logic.member_find(p_workspace_id, p_account_id)).account_id;
    update core.member m
    set role = 'admin'
    where m.workspace_id = p_workspace_id and m.account_id = v_actor and v_actor <> p_account_id;
  end if;
  return logic.workspace_shape(p_workspace_id, v_actor)
    || jsonb_build_object('seq', logic.written_seq(p_workspace_id));
end
$$;
comment on function api.workspace_transfer(uuid, uuid) is 'Hands a workspace over to another member.';
