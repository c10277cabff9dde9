-- Whether anybody else has changed a record behind a change of it.
create or replace function logic.record_changed_by_others(p_change core.change) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from core.change c
    where c.workspace_id = p_change.workspace_id and c.record_id = p_change.record_id and c.seq > p_change.seq
      and c.actor_id is distinct from p_change.actor_id and logic.change_is_of_document(c))
$$;
comment on function logic.record_changed_by_others(core.change) is 'Whether somebody else has changed the record since.';
