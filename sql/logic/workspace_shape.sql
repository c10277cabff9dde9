-- A workspace as one of its members sees it. Definer, since a list of workspaces spans tenants: only for accounts that are
-- members; else null.
create or replace function logic.workspace_shape(p_workspace_id uuid, p_account_id uuid) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'id', w.workspace_id,
    'number', w.number,
    'name', w.name,
    'slug', w.slug,
    'template', w.template,
    'language', w.language,
    'epoch', w.epoch,
    'role', m.role,
    'createdAt', logic.utc(w.created_at))
    || case when w.deleted_at is not null then jsonb_build_object('deletedAt', logic.utc(w.deleted_at)) else '{}' end
  from core.workspace w
  join core.member m on m.workspace_id = w.workspace_id and m.account_id = p_account_id
  where w.workspace_id = p_workspace_id
$$;
comment on function logic.workspace_shape(uuid, uuid) is 'A workspace as a member sees it, with his role.';
