-- The attachment that a repeated transaction added: its change says so.
create or replace function logic.repeated_attachment_id(p_workspace_id uuid) returns uuid
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select (c.patch -> 'attachment' ->> 'id')::uuid
  from core.change c
  where c.workspace_id = p_workspace_id and c.seq = logic.repeated_seq() and c.action = 'attachment'
$$;
comment on function logic.repeated_attachment_id(uuid) is 'The attachment that a repeated transaction added.';
