-- Everything that the caller may read, as of one seq: where a client starts, before it streams from that seq on. With p_at the records as
-- they were at that seq, of those that he may read today and could then; the collections are today's.
-- Stable, so that all of it is read with one snapshot. Raises PT410 seq_expired, PT422 unknown_seq.
create or replace function api.snapshot(p_workspace_id uuid, p_at bigint default null) returns jsonb
language plpgsql stable
as $$
begin
  perform logic.seq_check(p_workspace_id, p_at);
  return jsonb_build_object(
    'seq', coalesce(p_at, (logic.log_position(p_workspace_id)).seq),
    'epoch', (select w.epoch from core.workspace w where w.workspace_id = p_workspace_id),
    'workspace', logic.workspace_shape(p_workspace_id, core.entered_actor()),
    'collections', logic.collections_shape(p_workspace_id),
    'records', (
      select coalesce(jsonb_agg(logic.record_shape(r) order by r.collection, r.number), '[]')
      from logic.records_at(p_workspace_id, p_at) r));
end
$$;
comment on function api.snapshot(uuid, bigint) is 'A consistent snapshot of a workspace, with its seq, as it is or as it was.';
