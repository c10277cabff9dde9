-- One step of indexing a workspace: up to p_limit changes behind its head; or, where there is no index yet, it was made by another
-- scheme, or the log behind its head was trimmed, up to p_limit records in the order of their ids, behind which the log is read on.
-- Answers how many it looked at, and whether there is more to do.
-- The caller holds the workspace's lock of the index. No clock is taken: the log that a statement sees has no gaps.
create or replace function logic.search_step(p_workspace_id uuid, p_limit integer, out looked_at integer, out more boolean)
language plpgsql volatile
as $$
declare
  v_scheme constant jsonb := logic.search_scheme(p_workspace_id);
  v_position constant record := logic.log_position(p_workspace_id);
  v_head core.search_head;
  v_records uuid[];
  v_comments uuid[];
begin
  select * into v_head from core.search_head h where h.workspace_id = p_workspace_id;
  if not found or v_head.scheme <> v_scheme
      or v_head.seq < (select k.floor from core.clock k where k.workspace_id = p_workspace_id) then
    v_head := (p_workspace_id, v_position.seq, '00000000-0000-0000-0000-000000000000', v_scheme);
  end if;
  if v_head.rebuilt is not null then
    select coalesce(array_agg(r.id order by r.id), '{}') into v_records
    from (
      select o.id from core.record o where o.workspace_id = p_workspace_id and o.id > v_head.rebuilt order by o.id limit p_limit
    ) r;
    looked_at := cardinality(v_records);
    v_head.rebuilt := case when looked_at = p_limit then v_records[looked_at] end;
  else
    select count(*), coalesce(max(c.seq), v_head.seq),
      coalesce(array_agg(distinct c.record_id) filter (where c.collection is not null and c.record_id is not null), '{}'),
      coalesce(array_agg(distinct (c.patch #>> '{comment,id}')::uuid) filter (where c.action = 'comment'), '{}')
    into looked_at, v_head.seq, v_records, v_comments
    from (
      select * from core.change o where o.workspace_id = p_workspace_id and o.seq > v_head.seq order by o.seq limit p_limit
    ) c;
  end if;
  perform logic.search_store(p_workspace_id, v_scheme, v_records, v_comments);
  insert into core.search_head as h values (v_head.*)
  on conflict (workspace_id) do update set seq = excluded.seq, rebuilt = excluded.rebuilt, scheme = excluded.scheme;
  more := looked_at = p_limit or v_head.rebuilt is not null or v_head.seq < v_position.seq;
end
$$;
comment on function logic.search_step(uuid, integer) is 'One step of indexing a workspace.';
