-- The records that a write changed, as its caller may see them today, in the order of their first change: how a repeated
-- undo finds what it wrote.
create or replace function logic.transaction_records(p_workspace_id uuid, p_transaction_id uuid) returns uuid[]
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(w.record_id order by w.seq), '{}')
  from (
    select c.record_id, min(c.seq) as seq
    from core.transaction t
    cross join lateral logic.transaction_changes(t) c
    where t.workspace_id = p_workspace_id
      and p_workspace_id = core.entered_workspace()
      and t.actor_id = core.entered_actor()
      and t.id = p_transaction_id
      and logic.change_is_of_document(c)
    group by c.record_id
  ) w
$$;
comment on function logic.transaction_records(uuid, uuid) is 'The ids of the records that a write of the caller changed.';
