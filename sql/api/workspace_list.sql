-- GET my workspaces. Definer, since the list spans tenants: it shows the caller's own memberships and nothing else.
create or replace function api.workspace_list() returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('workspaces', coalesce(jsonb_agg(s.shape order by w.number), '[]'), 'nextCursor', null)
  from core.member m
  join core.workspace w on w.workspace_id = m.workspace_id
  join core.account a on a.id = m.account_id and a.disabled_at is null
  cross join lateral (select logic.workspace_shape(w.workspace_id, m.account_id) as shape) s
  where m.account_id = core.entered_actor() and s.shape is not null
$$;
comment on function api.workspace_list() is 'The workspaces of the caller.';
