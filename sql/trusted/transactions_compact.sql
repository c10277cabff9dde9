-- Of the writes whose changes are trimmed, and of those that changed nothing and are older than p_before, keeps the key and drops the
-- rest: a repeat is refused (see batch_open, which refuses it from the moment that the floor is raised). What an undo took back stays as
-- long as that undo can be repeated. One step of p_rows writes of a workspace (the nil uuid: of none), behind an actor and id. Answers
-- {expired, actor, id}: how many it dropped, and behind which to go on, nulls at the end.
-- Locks: the writes that it changes. Never the clock.
create or replace function trusted.transactions_compact(
  p_workspace_id uuid, p_before timestamptz, p_actor uuid default null, p_id uuid default null, p_rows integer default 10000) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_floor constant bigint := coalesce((select k.floor from core.clock k where k.workspace_id = p_workspace_id), 0);
  v_actor uuid;
  v_id uuid;
  v_count integer;
begin
  select t.actor_id, t.id into v_actor, v_id
  from core.transaction t
  where t.workspace_id = p_workspace_id and (p_id is null or (t.actor_id, t.id) > (p_actor, p_id))
  order by t.actor_id, t.id
  limit 1 offset p_rows - 1;
  update core.transaction t
  set expired = true, function = null, request_hash = null, first_seq = null, last_seq = null, undone_by = null, skipped = null
  where t.workspace_id = p_workspace_id and not t.expired
    and (p_id is null or (t.actor_id, t.id) > (p_actor, p_id))
    and (v_id is null or (t.actor_id, t.id) <= (v_actor, v_id))
    and case when t.first_seq is null then t.at < p_before else t.last_seq <= v_floor end
    and not exists (
      select from core.transaction u
      where u.workspace_id = t.workspace_id and u.actor_id = t.actor_id and u.id = t.undone_by and u.last_seq > v_floor);
  get diagnostics v_count = row_count;
  return jsonb_build_object('expired', v_count, 'actor', v_actor, 'id', v_id);
end
$$;
comment on function trusted.transactions_compact(uuid, timestamptz, uuid, uuid, integer) is 'Drops what is kept of writes whose changes are trimmed.';
