-- Whether a change was made by one of the caller's own writes, by their ids; ids are unique per person.
create or replace function logic.change_is_own(p_change core.change, p_own jsonb) returns boolean
language sql stable parallel safe
as $$ select coalesce(p_own ? p_change.transaction_id::text and p_change.actor_id = core.entered_actor(), false) $$;
comment on function logic.change_is_own(core.change, jsonb) is 'Whether a change is of one of these writes of the caller.';
