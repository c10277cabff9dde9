-- A task of the to-do list (source document 5): one that never said so is not completed.
create or replace function faces.todo_task(p_record core.record) returns jsonb
language sql stable parallel safe
as $$ select '{"completed": false}' || faces.flat(p_record) $$;
comment on function faces.todo_task(core.record) is 'A record in the shape of a task of the to-do list.';
