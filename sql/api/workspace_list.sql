-- GET my workspaces; with p_deleted those of mine that are deleted and can still be restored. Definer, since the list spans
-- tenants: it shows the caller's own memberships and nothing else. Raises PT401 unauthenticated.
create or replace function api.workspace_list(p_deleted boolean default false) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor constant uuid := logic.sign_in_check(p_token_too => true);
begin
  return (
    select jsonb_build_object('workspaces', coalesce(jsonb_agg(
      logic.workspace_shape(w.workspace_id, v_actor) order by w.number), '[]'), 'nextCursor', null)
    from core.member m
    join core.workspace w on w.workspace_id = m.workspace_id
    where m.account_id = v_actor
      and case when p_deleted then w.deleted_at is not null and m.role = 'owner' else w.deleted_at is null end);
end
$$;
comment on function api.workspace_list(boolean) is 'The workspaces of the caller.';
