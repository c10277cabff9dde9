-- POST undo. Raises PT409 nothing_to_undo, and whatever a write may (see logic.undo_run).
create or replace function api.transaction_undo(p_workspace_id uuid) returns jsonb
language sql volatile
as $$ select logic.undo_run(p_workspace_id, false) $$;
comment on function api.transaction_undo(uuid) is 'Undoes the caller''s last write.';
