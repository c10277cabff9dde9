-- The record of the change that a repeated transaction ended with: how a repeated create finds what it created.
create or replace function logic.repeated_record_id(p_workspace_id uuid) returns uuid
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select c.record_id
  from core.change c
  where c.workspace_id = p_workspace_id and c.seq = logic.repeated_seq()
$$;
comment on function logic.repeated_record_id(uuid) is 'The record that a repeated transaction wrote last.';
