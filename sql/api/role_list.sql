-- GET the roles of a workspace.
create or replace function api.role_list(p_workspace_id uuid) returns jsonb
language sql stable
as $$ select jsonb_build_object('roles', logic.roles_shape(p_workspace_id), 'nextCursor', null) $$;
comment on function api.role_list(uuid) is 'The roles of a workspace.';
