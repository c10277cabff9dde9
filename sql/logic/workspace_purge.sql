-- Removes a piece of one workspace that was deleted 30 days ago or longer, the log first: at most p_rows changes and as many
-- writes, comments and records; with the last piece the workspace itself. Answers whether there is more to do.
create or replace function logic.workspace_purge(p_rows integer) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  select w.workspace_id into v_id
  from core.workspace w
  where w.deleted_at < clock_timestamp() - interval '30 days'
  order by w.deleted_at
  limit 1
  for update skip locked;
  if not found then
    return false;
  end if;
  perform set_config('rowcast.purging', v_id || ' ' || pg_current_xact_id(), true);
  delete from core.change c
  where c.workspace_id = v_id and c.seq in (select s.seq from core.change s where s.workspace_id = v_id order by s.seq limit p_rows);
  delete from core.transaction t
  where t.workspace_id = v_id and t.id in (select s.id from core.transaction s where s.workspace_id = v_id limit p_rows);
  delete from core.comment c
  where c.workspace_id = v_id and c.id in (select s.id from core.comment s where s.workspace_id = v_id limit p_rows);
  delete from core.attachment a
  where a.workspace_id = v_id and a.id in (select s.id from core.attachment s where s.workspace_id = v_id limit p_rows);
  delete from core.record r
  where r.workspace_id = v_id and r.id in (
    select s.id
    from core.record s
    where s.workspace_id = v_id
      and not exists (select from core.comment c where c.workspace_id = v_id and c.record_id = s.id)
      and not exists (select from core.attachment a where a.workspace_id = v_id and a.record_id = s.id)
    limit p_rows);
  delete from core.search_entry e
  where e.workspace_id = v_id and (e.record_id, e.comment_id) in (
    select s.record_id, s.comment_id from core.search_entry s where s.workspace_id = v_id limit p_rows);
  if exists (select from core.change c where c.workspace_id = v_id)
      or exists (select from core.transaction t where t.workspace_id = v_id)
      or exists (select from core.record r where r.workspace_id = v_id)
      or exists (select from core.search_entry e where e.workspace_id = v_id) then
    return true;
  end if;
  delete from core.search_head h where h.workspace_id = v_id;
  delete from core.invitation i where i.workspace_id = v_id;
  delete from core.member m where m.workspace_id = v_id;
  delete from core.role r where r.workspace_id = v_id;
  delete from core.field f where f.workspace_id = v_id;
  delete from core.collection c where c.workspace_id = v_id;
  delete from core.clock k where k.workspace_id = v_id;
  delete from core.workspace w where w.workspace_id = v_id;
  return true;
end
$$;
comment on function logic.workspace_purge(integer) is 'Removes a piece of a workspace that was deleted long ago.';
