-- Logs what happens beside the documents: a comment, an attachment (of a record, whose readers see it), or the schema (which all
-- members see). Its event and its facts are the patch. A record's version stays as it is.
-- Locks: the clock of the workspace.
create or replace function logic.notice_append(
  p_workspace_id uuid, p_action text, p_event text, p_facts jsonb, p_record core.record default null, p_before jsonb default null)
returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_change core.change;
begin
  v_change.workspace_id := p_workspace_id;
  v_change.action := p_action;
  v_change.collection := p_record.collection;
  v_change.record_id := p_record.id;
  v_change.audience_before := p_record.audience;
  v_change.audience_after := p_record.audience;
  v_change.patch := jsonb_build_object('event', p_event) || p_facts;
  v_change.before := p_before;
  return logic.change_append(v_change);
end
$$;
comment on function logic.notice_append(uuid, text, text, jsonb, core.record, jsonb) is 'Appends what happened beside the documents to the log.';
