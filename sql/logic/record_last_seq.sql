-- What a client waits for on its stream after a write, also after one that changed nothing.
create or replace function logic.record_last_seq(p_workspace_id uuid, p_record_id uuid) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select c.seq
  from core.change c
  where c.workspace_id = p_workspace_id and c.record_id = p_record_id
  order by c.seq desc
  limit 1
$$;
comment on function logic.record_last_seq(uuid, uuid) is 'The seq of the last change of a record.';
