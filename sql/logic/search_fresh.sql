-- What the search index of a workspace does not know yet: the scheme to look at it by, the records that were changed or commented on
-- since the index was made, and while it is made anew, the id (rebuilt) behind which records are all among them.
-- For definers only: nobody else may read the log and the index.
create or replace function logic.search_fresh(p_workspace_id uuid, out scheme jsonb, out rebuilt uuid, out records uuid[])
language plpgsql stable
as $$
declare
  v_head core.search_head;
begin
  scheme := logic.search_scheme(p_workspace_id);
  select * into v_head
  from core.search_head h
  where h.workspace_id = p_workspace_id and h.scheme = search_fresh.scheme
    and h.seq >= (select k.floor from core.clock k where k.workspace_id = p_workspace_id);
  rebuilt := case when found then v_head.rebuilt else '00000000-0000-0000-0000-000000000000' end;
  records := array(
    select c.record_id
    from core.change c
    where c.workspace_id = p_workspace_id and c.seq > v_head.seq and c.collection is not null and c.record_id is not null
    union
    select r.id
    from core.record r
    where r.workspace_id = p_workspace_id and r.id > rebuilt and r.deleted_at is null);
end
$$;
comment on function logic.search_fresh(uuid) is 'What the search index of a workspace does not know yet.';
