-- The records that the operations of a transaction of the caller's worked on, in order of first mention, as operations_run answered them: how
-- a repeat finds them. New ones without an id of the client's stand in the log in the order of their operations.
-- Definer: it reads the log of a write of the caller's own.
create or replace function logic.operations_records(p_workspace_id uuid, p_transaction_id uuid, p_operations jsonb) returns uuid[]
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  with operation as (
    select o.n, o.value ->> 'type' = 'create' as creates, coalesce(o.value ->> 'recordId', o.value ->> 'id') as named
    from jsonb_array_elements(p_operations) with ordinality o(value, n)
  ), nameless as (
    select c.record_id, row_number() over (order by c.seq) as n
    from core.transaction t
    join core.change c on c.workspace_id = t.workspace_id and c.seq between t.first_seq and t.last_seq and c.transaction_id = t.id
    where t.workspace_id = p_workspace_id
      and p_workspace_id = core.entered_workspace()
      and t.actor_id = core.entered_actor()
      and t.id = p_transaction_id
      and c.action = 'created'
      and c.record_id::text not in (select lower(o.named) from operation o where o.creates and o.named is not null)
  )
  select coalesce(array_agg(m.id order by m.n), '{}')
  from (
    select case when o.named is null then w.record_id else logic.record_id(p_workspace_id, o.named) end as id, min(o.n) as n
    from (select o.*, row_number() over (partition by o.named is null order by o.n) as nth from operation o) o
    left join nameless w on o.named is null and w.n = o.nth
    group by 1
  ) m
$$;
comment on function logic.operations_records(uuid, uuid, jsonb) is 'The records that a repeated transaction worked on.';
