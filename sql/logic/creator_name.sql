-- The name of who created a record, also where he has left the workspace: as the log tells it with each change.
-- Definer, since accounts are open to nobody; so it believes the stored record alone, of the entered workspace.
create or replace function logic.creator_name(p_record core.record) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select a.name
  from core.record r
  join core.account a on a.id = r.created_by
  where r.workspace_id = p_record.workspace_id and r.workspace_id = core.entered_workspace() and r.id = p_record.id
$$;
comment on function logic.creator_name(core.record) is 'The name of who created a record.';
