-- One change that comes to the same as several of one record, in order of their seq, the first to the last: whom the record concerned before the
-- first and concerns behind the last; of each field the last value; the last place. A record that was created, deleted or restored in between is that, whatever was done
-- to it besides. Where one of them brings the whole record, so does this: with what was changed since, and with the counts of comments and
-- attachments that came and went until the last, whose notices stand among the changes (those behind it come as they are).
create or replace function logic.changes_merge(p_changes core.change[]) returns core.change
language plpgsql stable parallel safe
as $$
declare
  v_merged core.change;
  v_change core.change;
  v_document jsonb;
  v_since jsonb;
  v_comments integer := 0;
  v_attachments integer := 0;
  v_comment_count integer;
  v_attachment_count integer;
  v_deleted_at timestamptz;
begin
  foreach v_change in array p_changes loop
    case v_change.action
      when 'comment' then
        v_comments := v_comments + (v_change.patch -> 'comment' ->> 'deletedAt' is null)::integer
          - (v_change.before is not null and v_change.before -> 'comment' ->> 'deletedAt' is null)::integer;
        continue;
      when 'attachment' then
        v_attachments := v_attachments + case v_change.patch ->> 'event' when 'attachment-added' then 1 else -1 end;
        continue;
      when 'deleted' then
        v_deleted_at := v_change.at;
      when 'restored' then
        v_deleted_at := null;
      else
        v_change.action := case
          when v_merged.action in ('created', 'deleted', 'restored') then v_merged.action
          when v_merged.action = 'moved' then 'moved'
          else v_change.action
        end;
    end case;
    if v_change.document is not null then
      v_document := v_change.document;
      v_since := '{}';
      v_comment_count := (v_document ->> 'commentCount')::integer;
      v_attachment_count := (v_document ->> 'attachmentCount')::integer;
    else
      v_since := v_since || coalesce(v_change.patch, '{}');
      v_comment_count := v_comment_count + v_comments;
      v_attachment_count := v_attachment_count + v_attachments;
    end if;
    v_comments := 0;
    v_attachments := 0;
    if v_merged.seq is not null then
      v_change.patch := coalesce(v_merged.patch || v_change.patch, v_change.patch, v_merged.patch);
      v_change.position := coalesce(v_change.position, v_merged.position);
      v_change.audience_before := v_merged.audience_before;
    end if;
    v_merged := v_change;
  end loop;
  v_merged.document := v_document || jsonb_build_object(
    'data', logic.jsonb_without_nulls(v_document -> 'data' || v_since),
    'position', coalesce(v_merged.position, v_document ->> 'position'),
    'version', v_merged.version,
    'commentCount', v_comment_count,
    'attachmentCount', v_attachment_count,
    'updatedAt', logic.utc(v_merged.at),
    'updatedBy', v_merged.actor_id,
    'deletedAt', coalesce(logic.utc(v_deleted_at), case when v_merged.action not in ('deleted', 'restored') then v_document ->> 'deletedAt' end));
  v_merged.patch := case when v_merged.action = 'created' then v_merged.document -> 'data' else v_merged.patch end;
  return v_merged;
end
$$;
comment on function logic.changes_merge(core.change[]) is 'One change that comes to the same as several of a record.';
