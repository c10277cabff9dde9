-- A comment as clients see it: {id, recordId, parentId, body, author: {id, name}, mentions: [{id, name}], createdAt, editedAt, deletedAt}.
create or replace function logic.comment_shape(p_comment core.comment) returns jsonb
language sql stable
as $$ select logic.comment_named(logic.comment_facts(p_comment)) $$;
comment on function logic.comment_shape(core.comment) is 'A comment as clients see it.';
