-- The events of the to-do list: the native ones, with the whole task or category as `task` or `category`.
create or replace function faces.todo_event(
  p_change core.change, p_record core.record, p_native jsonb, out event text, out data jsonb)
language sql stable parallel safe
as $$
  select logic.event_name(p_change),
    p_native || case when logic.change_is_of_document(p_change) then jsonb_build_object(
      p_change.collection, case p_change.collection when 'task' then faces.todo_task(p_record) else faces.flat(p_record) end) else '{}' end
$$;
comment on function faces.todo_event(core.change, core.record, jsonb) is 'A change as an event of the to-do list.';
