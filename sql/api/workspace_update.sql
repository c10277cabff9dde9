-- PATCH a workspace: its name. Raises PT403 not_permitted.
create or replace function api.workspace_update(p_workspace_id uuid, p_name text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if logic.repeated_seq() is null then
    perform logic.manage_check();
    update core.workspace w set name = p_name where w.workspace_id = p_workspace_id;
  end if;
  return logic.workspace_shape(p_workspace_id, core.entered_actor())
    || jsonb_build_object('seq', logic.written_seq(p_workspace_id));
end
$$;
comment on function api.workspace_update(uuid, text) is 'Renames a workspace.';
