-- The collections of a workspace with their fields.
create or replace function logic.collections_shape(p_workspace_id uuid) returns jsonb
language sql stable
as $$
  select coalesce(jsonb_agg(logic.collection_shape(c) order by c.position, c.key), '[]')
  from core.collection c
  where c.workspace_id = p_workspace_id
$$;
comment on function logic.collections_shape(uuid) is 'The collections of a workspace as clients see them.';
