-- GET one workspace.
create or replace function api.workspace_get(p_workspace_id uuid) returns jsonb
language sql stable
as $$ select logic.workspace_shape(p_workspace_id, core.entered_actor()) $$;
comment on function api.workspace_get(uuid) is 'A workspace.';
