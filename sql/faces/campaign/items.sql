-- The phases or the tasks of a campaign that the caller may see, in manual order.
create or replace function faces.campaign_items(p_workspace_id uuid, p_collection text) returns jsonb
language sql stable
as $$
  select coalesce(jsonb_agg(faces.campaign_item(r) order by r.position, r.id), '[]')
  from core.record r
  where r.workspace_id = p_workspace_id and r.collection = p_collection and r.deleted_at is null
$$;
comment on function faces.campaign_items(uuid, text) is 'The phases or tasks of a campaign.';
