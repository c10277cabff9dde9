create or replace function logic.is_uuid(p_text text) returns boolean
language sql immutable parallel safe
as $$ select p_text ~ '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$' $$;
comment on function logic.is_uuid(text) is 'Whether a text is a uuid in its usual form.';
