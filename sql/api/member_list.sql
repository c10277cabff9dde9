-- GET the members of a workspace.
create or replace function api.member_list(p_workspace_id uuid) returns jsonb
language sql stable
as $$ select jsonb_build_object('members', logic.members_shape(p_workspace_id), 'nextCursor', null) $$;
comment on function api.member_list(uuid) is 'The members of a workspace.';
