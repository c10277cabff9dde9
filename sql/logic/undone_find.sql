-- The caller's write that an undo of his took back; no row where that was none.
create or replace function logic.undone_find(p_workspace_id uuid, p_undo uuid) returns core.transaction
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select t.*
  from core.transaction t
  where t.workspace_id = p_workspace_id and p_workspace_id = core.entered_workspace()
    and t.actor_id = core.entered_actor() and t.first_seq is not null and t.undone_by = p_undo
$$;
comment on function logic.undone_find(uuid, uuid) is 'What an undo took back.';
