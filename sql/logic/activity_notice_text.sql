-- What somebody did beside the documents, as a sentence without its subject: commented on TSK-001-0007.
create or replace function logic.activity_notice_text(p_change core.change, p_display_id text) returns text
language sql stable
as $$
  select case p_change.patch ->> 'event'
    when 'comment-created' then
      case when p_change.patch #> '{comment,parentId}' = 'null' then 'commented on ' else 'replied to a comment on ' end || p_display_id
    when 'comment-updated' then
      case when p_change.before #> '{comment,deletedAt}' = 'null' then 'edited' else 'restored' end || ' a comment on ' || p_display_id
    when 'comment-deleted' then 'deleted a comment on ' || p_display_id
    when 'attachment-added' then
      'attached ' || coalesce(p_change.patch #>> '{attachment,name}', 'a file') || ' to ' || p_display_id
    when 'attachment-removed' then
      'removed ' || coalesce(p_change.patch #>> '{attachment,name}', 'a file') || ' from ' || p_display_id
    when 'schema-changed' then
      'changed the fields of ' || coalesce((
        select c.label
        from core.collection c
        where c.workspace_id = p_change.workspace_id and c.key = p_change.patch ->> 'collection'),
        p_change.patch ->> 'collection', 'a collection')
    else translate(p_change.patch ->> 'event', '-', ' ') || case when p_change.record_id is not null then ' ' || p_display_id else '' end
  end
$$;
comment on function logic.activity_notice_text(core.change, text) is 'What happened beside the documents as a sentence.';
