-- The event history-update of a campaign, which follows each event of a task or phase, and tells of comments too: {campaignId, seq,
-- entry}. Where the change lets others see the record than saw it before, the entry does not tell what was in it before.
create or replace function faces.campaign_history_event(
  p_change core.change, p_record core.record, p_native jsonb, out event text, out data jsonb)
language sql stable
as $$
  select 'history-update', case when p_change.collection in ('task', 'phase') then jsonb_build_object(
    'campaignId', p_change.workspace_id,
    'seq', p_change.seq,
    'entry', faces.campaign_entry(p_change.workspace_id, logic.activity_shape(
      p_change, p_record.display_id, p_native #>> '{actor,name}', p_change.audience_before = p_change.audience_after))) end
$$;
comment on function faces.campaign_history_event(core.change, core.record, jsonb) is 'A change as an event of a campaign''s history.';
