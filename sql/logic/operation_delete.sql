-- Deletes a record, as an operation says. What somebody else has deleted since is what it wanted; what somebody else has changed since
-- collides as a whole. Answers the conflicts that refuse it. Raises as record_delete.
create or replace function logic.operation_delete(p_record core.record, p_basis jsonb) returns jsonb
language plpgsql volatile
as $$
declare
  v_base constant integer := logic.record_base(p_record, p_basis);
begin
  if v_base is not null and not core.permits('delete', p_record.collection, p_record.audience) then
    perform logic.raise_refusal('not_permitted');
  end if;
  if logic.deleted_since(p_record, v_base, p_basis -> 'own') then
    return '[]';
  end if;
  if v_base is not null and p_record.deleted_at is null and p_basis ->> 'onConflict' <> 'yours'
      and logic.document_changed_since(p_record, v_base, p_basis -> 'own') then
    return case p_basis ->> 'onConflict' when 'theirs' then '[]' else logic.document_conflict(p_record, v_base, null, p_record.data) end;
  end if;
  perform logic.record_delete(p_record.workspace_id, p_record.id::text, null);
  return '[]';
end
$$;
comment on function logic.operation_delete(core.record, jsonb) is 'Deletes a record, and answers the conflicts.';
