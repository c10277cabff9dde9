-- An entry of a campaign's history, from one of the activity: what happened to a task or a phase, or was said on it.
create or replace function faces.campaign_entry(p_campaign uuid, p_activity jsonb) returns jsonb
language sql stable parallel safe
as $$
  select jsonb_build_object(
    'id', p_activity ->> 'seq',
    'campaignId', p_campaign,
    'taskId', case p_activity ->> 'collection' when 'task' then p_activity -> 'recordId' end,
    'phaseId', case p_activity ->> 'collection' when 'phase' then p_activity -> 'recordId' end,
    'action', faces.campaign_action(p_activity ->> 'action', logic.activity_changes(p_activity)),
    'details', p_activity -> 'text',
    'changes', logic.activity_changes(p_activity),
    'userId', p_activity #> '{actor,id}',
    'userName', p_activity #> '{actor,name}',
    'createdAt', p_activity -> 'at')
$$;
comment on function faces.campaign_entry(uuid, jsonb) is 'An entry of the activity as one of a campaign''s history.';
