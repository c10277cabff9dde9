-- GET /api/users of Sim-Flow: the members of the workspace, all or of one role, which Sim-Flow writes in upper case. E-mail addresses
-- are for who may manage (see members_shape); to others they are null.
create or replace function api.simflow_user_list(p_workspace_id uuid, p_role text default null) returns jsonb
language sql stable
as $$
  select jsonb_build_object('users', coalesce(jsonb_agg(jsonb_build_object(
    'id', m.value -> 'id',
    'name', m.value -> 'name',
    'email', m.value -> 'email',
    'role', upper(m.value ->> 'role'),
    'avatarUrl', m.value -> 'avatar',
    'createdAt', m.value -> 'joinedAt',
    'updatedAt', m.value -> 'joinedAt') order by m.n), '[]'))
  from jsonb_array_elements(logic.members_shape(p_workspace_id)) with ordinality m(value, n)
  where p_role is null or lower(m.value ->> 'role') = lower(p_role)
$$;
comment on function api.simflow_user_list(uuid, text) is 'The members of a workspace as users of Sim-Flow.';
