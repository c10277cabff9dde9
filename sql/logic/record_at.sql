-- A record as it was at a seq of the log: from today's back, change by change. Null where there was none yet, or where the caller could
-- not have read it then. Its comments and attachments are counted as of today.
-- Definer: the log is open to nobody; who calls has found today's record under the policies.
create or replace function logic.record_at(p_record core.record, p_seq bigint) returns core.record
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_change core.change;
  v_is_other boolean;
begin
  if p_record.workspace_id is distinct from core.entered_workspace() then
    perform logic.raise_refusal('unknown_workspace');
  end if;
  for v_change in
    select c.*
    from core.change c
    where c.workspace_id = p_record.workspace_id and c.record_id = p_record.id and c.seq > p_seq and logic.change_is_of_document(c)
    order by c.seq desc
  loop
    p_record.data := logic.jsonb_with_fields(p_record.data, logic.jsonb_without_nulls(coalesce(v_change.before, '{}')),
      array(select jsonb_object_keys(v_change.before)));
    p_record.position := coalesce(v_change.position_before, p_record.position);
    p_record.deleted_at := case v_change.action when 'deleted' then null when 'restored' then v_change.at else p_record.deleted_at end;
  end loop;
  v_is_other := found;
  select c.* into v_change
  from core.change c
  where c.workspace_id = p_record.workspace_id and c.record_id = p_record.id and c.seq <= p_seq
    and (logic.change_is_of_document(c) or c.action = 'baseline')
  order by c.seq desc
  limit 1;
  if v_change.seq is null or not core.granted('rowcast.read', v_change.collection, v_change.audience_after) then
    return null;
  end if;
  p_record.version := v_change.version;
  p_record.updated_at := v_change.at;
  p_record.updated_by := v_change.actor_id;
  if v_is_other and p_record.deleted_at is not null then
    p_record.deleted_at := v_change.at;
  end if;
  return p_record;
end
$$;
comment on function logic.record_at(core.record, bigint) is 'A record as it was at a seq.';
