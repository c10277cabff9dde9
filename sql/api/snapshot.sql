-- Everything that the caller may read, as of one seq: where a client starts, before it streams from that seq on.
-- Stable, so that all of it is read with one snapshot.
create or replace function api.snapshot(p_workspace_id uuid) returns jsonb
language plpgsql stable
as $$
begin
  return jsonb_build_object(
    'seq', (logic.log_position(p_workspace_id)).seq,
    'epoch', (select w.epoch from core.workspace w where w.workspace_id = p_workspace_id),
    'workspace', logic.workspace_shape(p_workspace_id, core.entered_actor()),
    'collections', logic.collections_shape(p_workspace_id),
    'records', (
      select coalesce(jsonb_agg(logic.record_shape(r) order by r.collection, r.number), '[]')
      from core.record r
      where r.workspace_id = p_workspace_id and r.deleted_at is null));
end
$$;
comment on function api.snapshot(uuid) is 'A consistent snapshot of a workspace, with its seq.';
