-- A phase or a task of a campaign (source document 3), flat. The campaign is its workspace. Manual order is that of sortKey as text,
-- since `position` is a number in the calls of this face.
create or replace function faces.campaign_item(p_record core.record) returns jsonb
language sql stable parallel safe
as $$
  select faces.flat(p_record) - '{workspaceId,position}'::text[]
    || jsonb_build_object('campaignId', p_record.workspace_id, 'sortKey', p_record.position)
$$;
comment on function faces.campaign_item(core.record) is 'A record in the shape of a phase or task of a campaign.';
