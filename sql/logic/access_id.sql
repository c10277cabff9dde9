-- What the access changes of a workspace stand under in the log, as a record's changes stand under its id.
create or replace function logic.access_id(p_workspace_id uuid) returns uuid
language sql immutable parallel safe
as $$ select md5('access ' || p_workspace_id)::uuid $$;
comment on function logic.access_id(uuid) is 'The id under which a workspace''s access changes stand in the log.';
