-- The data of comment-created, attachment-added, schema-changed and the like: the facts of the change.
-- A comment's facts are ids: the names of people are those of today.
create or replace function logic.notice_event_shape(
  p_change core.change, p_display_id text, p_actor_name text) returns jsonb
language sql stable parallel safe
as $$
  select jsonb_build_object(
    'seq', p_change.seq,
    'workspaceId', p_change.workspace_id,
    'transactionId', p_change.transaction_id,
    'actor', case when p_change.actor_id is not null
      then jsonb_build_object('id', p_change.actor_id, 'name', p_actor_name) end,
    'at', logic.utc(p_change.at))
    || case when p_change.record_id is not null
      then jsonb_build_object('collection', p_change.collection, 'recordId', p_change.record_id, 'displayId', p_display_id) else '{}' end
    || (p_change.patch - 'event')
    || case when p_change.action = 'comment'
      then jsonb_build_object('comment', logic.comment_named(p_change.patch -> 'comment')) else '{}' end
$$;
comment on function logic.notice_event_shape(core.change, text, text) is 'What happened beside the documents, as the data of an event.';
