-- Whether the actor may add a file to a record, asked before its bytes are taken. Answers the record's id.
-- Raises PT404 unknown_record, PT403 not_permitted. The process asks; no route names it.
create or replace function api.attachment_check(p_workspace_id uuid, p_id text) returns jsonb
language sql stable
as $$ select jsonb_build_object('recordId', (logic.attachment_check(p_workspace_id, p_id)).id) $$;
comment on function api.attachment_check(uuid, text) is 'Whether the actor may add a file to a record.';
