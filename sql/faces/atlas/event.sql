-- The unnamed events of Atlas: {type, task}.
create or replace function faces.atlas_event(
  p_change core.change, p_record core.record, p_native jsonb, out event text, out data jsonb)
language sql stable parallel safe
as $$
  select null, case when p_change.collection = 'task' and logic.change_is_of_document(p_change) then jsonb_build_object(
    'type', case p_change.action
      when 'created' then 'task_created'
      when 'restored' then 'task_created'
      when 'deleted' then 'task_deleted'
      else 'task_update'
    end,
    'task', faces.atlas_task(p_record)) end
$$;
comment on function faces.atlas_event(core.change, core.record, jsonb) is 'A change as an Atlas event.';
