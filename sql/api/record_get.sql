-- One record, deleted or not (deletedAt tells). Raises PT404 unknown_record.
create or replace function api.record_get(p_workspace_id uuid, p_id text) returns jsonb
language sql stable
as $$ select logic.record_shape(logic.record_find(p_workspace_id, p_id)) $$;
comment on function api.record_get(uuid, text) is 'A record by its id or display id.';
