-- The members of the entered workspace, or one of them; e-mail addresses for who may manage alone.
-- Definer, since accounts are open to nobody: for members, whose names everybody there may know.
create or replace function logic.members_shape(p_workspace_id uuid, p_account uuid default null) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(
    jsonb_build_object(
      'id', a.id,
      'name', a.name,
      'avatar', a.avatar,
      'role', m.role,
      'joinedAt', logic.utc(m.joined_at))
    || case when core.permits('manage', '*') then jsonb_build_object('email', a.email) else '{}' end
    order by m.joined_at, a.id), '[]')
  from core.member m
  join core.account a on a.id = m.account_id
  where m.workspace_id = p_workspace_id and m.workspace_id = core.entered_workspace()
    and (p_account is null or m.account_id = p_account)
$$;
comment on function logic.members_shape(uuid, uuid) is 'Members, as other members see them.';
