-- Under the clocks, everything that the calls of a batch need, read at once: the actor's rights, the last seq of the
-- workspace, the seq that a repeat answered the first time, why a call can't be let in (see raise_refusal), and the lock of the
-- record that it names; of those who call several times, once. busy: somebody else holds that record, or the same id stands earlier in the batch.
-- Locks: records, in order, skipping what others hold.
-- Sorted by workspace, so that the last seq carries from call to call; within a workspace in order of arrival.
create or replace function logic.batch_open(
  p_functions text[], p_actors uuid[], p_sessions uuid[], p_workspaces uuid[], p_records text[], p_transactions uuid[], p_arguments text[])
returns table (
  n integer, workspace_id uuid, actor_id uuid, session_id uuid, transaction_id uuid, function text, arguments text, read text, edit text, may text, last_seq bigint, last_at timestamptz, repeated_seq bigint, refusal text, busy boolean)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
  v_records constant uuid[] := array(
    select case
      when c.record is null or c.workspace_id is null then null
      when logic.is_uuid(c.record) then c.record::uuid
      else (select r.id from core.record r where r.workspace_id = c.workspace_id and r.display_id = upper(c.record))
    end
    from unnest(p_workspaces, p_records) with ordinality c(workspace_id, record, n)
    order by c.n);
  v_locked_workspaces uuid[];
  v_locked_records uuid[];
begin
  select coalesce(array_agg(k.workspace_id), '{}'), coalesce(array_agg(k.id), '{}')
  into v_locked_workspaces, v_locked_records
  from (
    select r.workspace_id, r.id
    from unnest(p_workspaces, v_records) c(workspace_id, id)
    join core.record r on r.workspace_id = c.workspace_id and r.id = c.id
    order by r.workspace_id, r.id
    for update of r skip locked
  ) k;
  return query
    select c.n::integer, c.workspace_id, c.actor_id, c.session_id, c.transaction_id, c.function, c.arguments, g.read, g.edit, g.may,
      g.last_seq, g.last_at, t.last_seq,
      case
        when g.read is null and not logic.admitted(c.function, c.workspace_id, c.actor_id) then
          case when logic.session_live(c.session_id, c.actor_id) then 'unknown_workspace' else 'unauthenticated' end
        when t.expired or t.first_seq is not null
            and t.last_seq <= (select k.floor from core.clock k where k.workspace_id = c.workspace_id) then 'transaction_expired'
        when t.id is not null and t.request_hash <> logic.request_hash(c.function, c.arguments) then 'transaction_reused'
      end,
      row_number() over (partition by c.workspace_id, c.actor_id, c.transaction_id order by c.n) > 1
        or (c.record is not null and k.id is null
          and exists (select from core.record r where r.workspace_id = c.workspace_id and r.id = c.record))
    from unnest(p_functions, p_actors, p_sessions, p_workspaces, v_records, p_transactions, p_arguments) with ordinality
      as c(function, actor_id, session_id, workspace_id, record, transaction_id, arguments, n)
    join (
      select a.workspace_id, a.actor_id, a.session_id, r.read, r.edit, r.may, coalesce(l.at, '-infinity') as last_at,
        coalesce(l.seq, (select k.floor from core.clock k where k.workspace_id = a.workspace_id)) as last_seq
      from (select distinct * from unnest(p_workspaces, p_actors, p_sessions)) a(workspace_id, actor_id, session_id)
      left join lateral logic.rights(a.workspace_id, a.actor_id, a.session_id) r on true
      left join lateral (
        select e.seq, e.at from core.change e where e.workspace_id = a.workspace_id order by e.seq desc limit 1) l on true
      offset 0
    ) g on g.workspace_id = c.workspace_id and g.actor_id is not distinct from c.actor_id and g.session_id is not distinct from c.session_id
    left join (select distinct * from unnest(v_locked_workspaces, v_locked_records)) k(workspace_id, id)
      on k.workspace_id = c.workspace_id and k.id = c.record
    left join core.transaction t on t.workspace_id = c.workspace_id and t.actor_id = c.actor_id and t.id = c.transaction_id
    where c.workspace_id is not null
    order by c.workspace_id, c.n;
end
$$;
comment on function logic.batch_open(text[], uuid[], uuid[], uuid[], text[], uuid[], text[]) is 'Reads and locks what the calls of a batch need, in one go.';
