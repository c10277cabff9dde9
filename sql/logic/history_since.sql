-- From where on the log of the entered workspace is kept: {seq, at} of the last change that was trimmed, null where none was.
-- Definer: the clock is open to nobody.
create or replace function logic.history_since(p_workspace_id uuid) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('seq', k.floor, 'at', logic.utc(k.floor_at))
  from core.clock k
  where k.workspace_id = p_workspace_id and p_workspace_id = core.entered_workspace() and k.floor > 0
$$;
comment on function logic.history_since(uuid) is 'The last change of a workspace that was trimmed.';
