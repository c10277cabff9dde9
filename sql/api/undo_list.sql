-- GET what the caller can undo and redo in a workspace, in words, the next one first: {undo: [{id, seq, at, text, count}], redo: [...],
-- since: where the log begins (see history_since), behind which nothing is undone}.
create or replace function api.undo_list(p_workspace_id uuid) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'undo', logic.undo_shape(p_workspace_id, false),
    'redo', logic.undo_shape(p_workspace_id, true),
    'since', logic.history_since(p_workspace_id))
$$;
comment on function api.undo_list(uuid) is 'What you can undo and redo.';
