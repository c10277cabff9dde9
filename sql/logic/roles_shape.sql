create or replace function logic.roles_shape(p_workspace_id uuid) returns jsonb
language sql stable
as $$
  select coalesce(jsonb_agg(
    jsonb_build_object(
      'key', r.key, 'label', r.label, 'read', r.read, 'edit', r.edit, 'may', r.may) order by r.position, r.key), '[]')
  from core.role r
  where r.workspace_id = p_workspace_id
$$;
comment on function logic.roles_shape(uuid) is 'The roles of a workspace.';
