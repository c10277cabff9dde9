-- Notes that a write of the caller was taken back by another of his, and what was left alone.
create or replace function logic.undone_mark(p_transaction core.transaction, p_undo uuid) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  update core.transaction t
  set undone_by = p_undo, skipped = p_transaction.skipped
  where t.workspace_id = p_transaction.workspace_id and t.workspace_id = core.entered_workspace()
    and t.actor_id = core.entered_actor() and t.id = p_transaction.id
$$;
comment on function logic.undone_mark(core.transaction, uuid) is 'Notes what an undo took back.';
