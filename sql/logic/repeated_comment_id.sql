-- The comment of the change that a repeated transaction ended with: how a repeated comment finds itself.
create or replace function logic.repeated_comment_id(p_workspace_id uuid) returns uuid
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select (c.patch -> 'comment' ->> 'id')::uuid
  from core.change c
  where c.workspace_id = p_workspace_id and c.seq = logic.repeated_seq()
$$;
comment on function logic.repeated_comment_id(uuid) is 'The comment that a repeated transaction wrote last.';
