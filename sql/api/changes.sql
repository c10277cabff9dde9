-- The log behind a seq, for who was away: {changes: [event data with `event`], seq, hasMore}; seq is where to go on. What came
-- into sight carries its record; what went out of sight is `<collection>-removed`. p_coalesce: one change per record, which all its changes of
-- a piece of the log come to. Where it can't be continued exactly, {changes: [], reset: {reason, seq, epoch}}.
create or replace function api.changes(
  p_workspace_id uuid, p_since bigint, p_limit integer default null, p_coalesce boolean default false) returns jsonb
language plpgsql stable
as $$
declare
  v_limit constant integer := least(coalesce(p_limit, 200), 1000);
  v_reason constant text := logic.log_verdict(p_workspace_id, null, p_since, null);
  v_read constant text[] := string_to_array(current_setting('rowcast.read'), ' ');
  v_position record;
begin
  if v_reason is not null then
    v_position := logic.log_position(p_workspace_id);
    return jsonb_build_object('changes', '[]'::jsonb, 'seq', v_position.seq, 'hasMore', false, 'reset', jsonb_build_object(
      'reason', v_reason, 'seq', v_position.seq,
      'epoch', (select w.epoch from core.workspace w where w.workspace_id = p_workspace_id)));
  end if;
  if p_coalesce then
    return logic.changes_coalesced(p_workspace_id, p_since, v_limit, v_read);
  end if;
  return (
    select jsonb_build_object(
      'changes', coalesce(jsonb_agg(x.data order by x.seq) filter (where x.data is not null), '[]'),
      'seq', coalesce(max(x.seq), p_since),
      'hasMore', coalesce(bool_or(x.more), false))
    from (
      select l.seq, l.more,
        case
          when l.collection is null and l.event ~ '^(member-|workspace-updated|schema-changed)' or l.before && v_read and l.after && v_read
            then l.native::jsonb || jsonb_build_object('event', l.event)
          when l.after && v_read then l.whole::jsonb || jsonb_build_object('event', l.event)
          when l.before && v_read
            then l.removed::jsonb || jsonb_build_object('event', l.collection || '-removed')
        end as data
      from api.log_read(array[p_workspace_id], array[null::text], array[p_since], array[null::text], '{}', v_limit) l
    ) x
  );
end
$$;
comment on function api.changes(uuid, bigint, integer, boolean) is 'The changes behind a seq that the caller may see.';
