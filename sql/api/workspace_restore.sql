-- POST a restore: an owner takes the deletion of his workspace back. In one that is not deleted it does nothing.
-- Raises PT403 not_permitted, PT403 sign_in_required.
create or replace function api.workspace_restore(p_workspace_id uuid) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not logic.is_owner(p_workspace_id, logic.sign_in_check()) then
    perform logic.raise_refusal('not_permitted');
  end if;
  if logic.repeated_seq() is null then
    update core.workspace w set deleted_at = null where w.workspace_id = p_workspace_id and w.deleted_at is not null;
  end if;
  return logic.workspace_shape(p_workspace_id, core.entered_actor())
    || jsonb_build_object('seq', logic.written_seq(p_workspace_id));
end
$$;
comment on function api.workspace_restore(uuid) is 'Takes the deletion of a workspace back.';
