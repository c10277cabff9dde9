-- Moves a record, as an operation says. A place never collides, the last one wins; the value of a field that goes with it does, and so
-- does a deletion. Answers the conflicts that refuse it. Raises as record_move and record_restore.
create or replace function logic.operation_move(p_record core.record, p_operation jsonb, p_basis jsonb) returns jsonb
language plpgsql volatile
as $$
declare
  v_base constant integer := logic.record_base(p_record, p_basis);
  v_field text := p_operation ->> 'field';
  v_data constant jsonb := case when v_field is null then p_record.data
    else logic.jsonb_merge_patch(p_record.data, jsonb_build_object(v_field, p_operation -> 'value')) end;
  v_rule constant text := p_basis ->> 'onConflict';
  v_is_gone constant boolean := logic.deleted_since(p_record, v_base, p_basis -> 'own');
  v_conflicts jsonb := '[]';
begin
  if v_base is not null and not core.permits('move', p_record.collection, p_record.audience) then
    perform logic.raise_refusal('not_permitted');
  end if;
  if v_is_gone and v_rule = 'yours' then
    perform logic.record_restore(p_record.workspace_id, p_record.id::text);
  elsif v_is_gone then
    return case v_rule when 'theirs' then '[]' else logic.document_conflict(p_record, v_base, v_data, null) end;
  elsif v_base is not null and v_field is not null and v_rule <> 'yours' then
    v_conflicts := logic.conflicts_since(p_record, v_base, v_data, p_basis -> 'own');
  end if;
  if v_conflicts <> '[]' and v_rule = 'theirs' then
    v_conflicts := '[]';
    v_field := null;
  end if;
  if v_conflicts = '[]' then
    perform logic.record_move(p_record.workspace_id, p_record.id::text, v_field, p_operation -> 'value',
      p_operation ->> 'before', p_operation ->> 'after', null);
  end if;
  return v_conflicts;
end
$$;
comment on function logic.operation_move(core.record, jsonb, jsonb) is 'Moves a record, and answers the conflicts.';
