-- Who may come into a workspace in which he has no rights, for one function alone: the process for what it answers for itself
-- (schema trusted), and the owner of a deleted workspace, to restore it. He comes in with no rights, so row-level security
-- shows him nothing but the workspace itself; the function looks after the rest.
create or replace function logic.admitted(p_function text, p_workspace_id uuid, p_actor_id uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select starts_with(p_function, 'trusted.')
    or (p_function = 'workspace_restore' and exists (
      select from core.member m
      join core.workspace w on w.workspace_id = m.workspace_id and w.deleted_at is not null
      where m.workspace_id = p_workspace_id and m.account_id = p_actor_id and m.role = 'owner'))
$$;
comment on function logic.admitted(text, uuid, uuid) is 'Whether a function may run in a workspace for an actor who has no rights there.';
