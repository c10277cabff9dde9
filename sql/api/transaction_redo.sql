-- POST redo. Raises PT409 nothing_to_redo, and whatever a write may (see logic.undo_run).
create or replace function api.transaction_redo(p_workspace_id uuid) returns jsonb
language sql volatile
as $$ select logic.undo_run(p_workspace_id, true) $$;
comment on function api.transaction_redo(uuid) is 'Redoes what the caller undid last.';
