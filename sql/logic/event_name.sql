-- The name of a change's native event: <collection>-created …, member-joined …
create or replace function logic.event_name(p_change core.change) returns text
language sql stable parallel safe
as $$
  select case
    when p_change.action = 'access' then p_change.patch ->> 'event'
    else p_change.collection || '-' || p_change.action
  end
$$;
comment on function logic.event_name(core.change) is 'The name of the event of a change.';
