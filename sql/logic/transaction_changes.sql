-- The changes of a write of the caller's, as far as he could read the record before it or, of a new one, can behind it: what hangs on a deletion
-- may be out of his sight, and he is not told of it. For definers only: it reads the log.
create or replace function logic.transaction_changes(p_transaction core.transaction) returns setof core.change
language sql stable
as $$
  select c.*
  from core.change c
  where c.workspace_id = p_transaction.workspace_id and c.seq between p_transaction.first_seq and p_transaction.last_seq
    and c.transaction_id = p_transaction.id
    and core.granted('rowcast.read', c.collection, coalesce(c.audience_before, c.audience_after))
$$;
comment on function logic.transaction_changes(core.transaction) is 'The changes of a write that its author may know of.';
