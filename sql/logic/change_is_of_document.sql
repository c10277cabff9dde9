-- Whether a change is one of a record itself. All others say in their patch what their event is called: access (members, roles,
-- the workspace), comment, attachment, schema.
create or replace function logic.change_is_of_document(p_change core.change) returns boolean
language sql immutable parallel safe
as $$ select p_change.action in ('created', 'updated', 'moved', 'deleted', 'restored') $$;
comment on function logic.change_is_of_document(core.change) is 'Whether a change is of a record itself.';
