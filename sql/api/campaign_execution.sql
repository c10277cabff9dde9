-- GET all of a campaign: its phases and tasks in manual order, the last 50 entries of its history, and the seq from which to stream on.
-- Stable, so that all of it is read with one snapshot. Raises PT404 unknown_collection where the workspace is no campaign.
create or replace function api.campaign_execution(p_workspace_id uuid) returns jsonb
language plpgsql stable
as $$
begin
  perform logic.collection_find(p_workspace_id, 'phase');
  return jsonb_build_object(
    'campaign', logic.workspace_shape(p_workspace_id, core.entered_actor()),
    'phases', faces.campaign_items(p_workspace_id, 'phase'),
    'tasks', faces.campaign_items(p_workspace_id, 'task'),
    'history', (
      select coalesce(jsonb_agg(faces.campaign_entry(p_workspace_id, h.activity) order by h.n), '[]')
      from (
        select a.value as activity, a.n
        from jsonb_array_elements(logic.activity_page(p_workspace_id, null, null, 200) -> 'activities') with ordinality a(value, n)
        where a.value ->> 'collection' in ('task', 'phase')
        order by a.n
        limit 50
      ) h),
    'seq', (logic.log_position(p_workspace_id)).seq);
end
$$;
comment on function api.campaign_execution(uuid) is 'Phases, tasks and history of a campaign.';
