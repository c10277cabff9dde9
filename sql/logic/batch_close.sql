-- Remembers the calls of a batch that took effect (p_done: their places in the batch), all in one statement, and wakes the
-- listeners of the workspaces in which something changed, with one notification that names them all.
-- Locks: PostgreSQL lets the notifying commits of a cluster through one at a time; from here on that is waited for, where all
-- else gave up after lock_timeout.
create or replace function logic.batch_close(
  p_done integer[], p_first_seqs bigint[], p_last_seqs bigint[],
  p_workspaces uuid[], p_actors uuid[], p_transactions uuid[], p_functions text[], p_arguments text[]) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_changed text;
begin
  insert into core.transaction (workspace_id, actor_id, id, function, request_hash, first_seq, last_seq)
  select c.workspace_id, c.actor_id, c.id, c.function, logic.request_hash(c.function, c.arguments), d.first_seq, d.last_seq
  from unnest(p_workspaces, p_actors, p_transactions, p_functions, p_arguments) with ordinality
    as c(workspace_id, actor_id, id, function, arguments, n)
  join unnest(p_done, p_first_seqs, p_last_seqs) d(n, first_seq, last_seq) on d.n = c.n
  where c.actor_id is not null;
  select string_agg(distinct p_workspaces[d.n]::text, ' ') into v_changed
  from unnest(p_done, p_first_seqs) d(n, first_seq)
  where d.first_seq is not null;
  if v_changed is not null then
    perform set_config('lock_timeout', '5s', true);
    perform pg_notify('rowcast', v_changed);
  end if;
end
$$;
comment on function logic.batch_close(integer[], bigint[], bigint[], uuid[], uuid[], uuid[], text[], text[]) is 'Records the transactions of a batch and notifies once.';
