-- Up to which seq the log of a workspace can be trimmed, if what is older than p_before may go; its floor, where nothing can. The last
-- change always stays: by it cursors at the end of the log prove themselves, and times go on. So does what the search index has not
-- read yet, and a write of which not all may go: it is kept whole, so that it can be repeated and undone.
create or replace function logic.compact_target(p_workspace_id uuid, p_before timestamptz) returns bigint
language plpgsql stable
as $$
declare
  v_floor constant bigint := (select k.floor from core.clock k where k.workspace_id = p_workspace_id);
  v_target bigint := least(
    logic.seq_before(p_workspace_id, p_before),
    (logic.log_position(p_workspace_id)).seq - 1,
    (select h.seq from core.search_head h where h.workspace_id = p_workspace_id));
begin
  if v_target <= v_floor then
    return v_floor;
  end if;
  return greatest(v_floor, least(v_target, (logic.write_span(p_workspace_id, v_target + 1)).first - 1));
end
$$;
comment on function logic.compact_target(uuid, timestamptz) is 'Up to which seq a log can be trimmed.';
