-- The events of a campaign: task-created, task-updated, task-moved, task-deleted, and the like of phases. What is restored is created
-- again, as its clients know no other word for it.
create or replace function faces.campaign_event(
  p_change core.change, p_record core.record, p_native jsonb, out event text, out data jsonb)
language sql stable parallel safe
as $$
  select
    p_change.collection || '-' || case p_change.action when 'restored' then 'created' else faces.campaign_action(p_change.action, p_change.patch) end,
    case when p_change.collection in ('task', 'phase') and logic.change_is_of_document(p_change) then
      jsonb_build_object(
        'campaignId', p_change.workspace_id,
        p_change.collection || 'Id', p_change.record_id,
        p_change.collection, faces.campaign_item(p_record))
      || jsonb_build_object('seq', p_change.seq, 'patch', p_native -> 'patch', 'actor', p_native -> 'actor', 'at', p_native -> 'at')
    end
$$;
comment on function faces.campaign_event(core.change, core.record, jsonb) is 'A change as an event of a campaign.';
