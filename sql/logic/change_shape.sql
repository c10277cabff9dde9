-- The data of a change's event, whatever it is of.
create or replace function logic.change_shape(p_change core.change, p_display_id text, p_actor_name text) returns jsonb
language sql stable parallel safe
as $$
  select case
    when logic.change_is_of_document(p_change) then logic.event_shape(p_change, p_display_id, p_actor_name)
    when p_change.action = 'access' then logic.access_event_shape(p_change)
    else logic.notice_event_shape(p_change, p_display_id, p_actor_name)
  end
$$;
comment on function logic.change_shape(core.change, text, text) is 'A change as the data of its event.';
