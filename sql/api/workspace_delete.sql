-- DELETE a workspace, an owner's right: nobody gets in any more. For 30 days an owner can restore it; then it is gone for good.
-- Raises PT403 not_permitted.
create or replace function api.workspace_delete(p_workspace_id uuid) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if logic.repeated_seq() is null then
    perform logic.manage_check();
    if not logic.is_owner(p_workspace_id, core.entered_actor()) then
      perform logic.raise_refusal('not_permitted');
    end if;
    update core.workspace w set deleted_at = clock_timestamp() where w.workspace_id = p_workspace_id;
  end if;
  return jsonb_build_object('id', p_workspace_id, 'seq', logic.written_seq(p_workspace_id));
end
$$;
comment on function api.workspace_delete(uuid) is 'Deletes a workspace, for 30 days restorably.';
