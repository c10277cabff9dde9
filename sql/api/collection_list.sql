-- GET the collections of a workspace, with their fields.
create or replace function api.collection_list(p_workspace_id uuid) returns jsonb
language sql stable
as $$ select jsonb_build_object('collections', logic.collections_shape(p_workspace_id), 'nextCursor', null) $$;
comment on function api.collection_list(uuid) is 'The collections of a workspace.';
