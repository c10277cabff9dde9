-- The name of a change's native event: <collection>-created …, member-joined …, comment-created …, schema-changed
create or replace function logic.event_name(p_change core.change) returns text
language sql stable parallel safe
as $$
  select case
    when logic.change_is_of_document(p_change) then p_change.collection || '-' || p_change.action
    else p_change.patch ->> 'event'
  end
$$;
comment on function logic.event_name(core.change) is 'The name of the event of a change.';
