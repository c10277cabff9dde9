-- An operation that names a collection means a record of that one; what it names in another is no such record.
-- Raises PT404 unknown_record, unknown_collection.
create or replace function logic.operation_collection_check(p_workspace_id uuid, p_operation jsonb, p_collection text) returns void
language plpgsql stable
as $$
declare
  v_named constant text := coalesce(p_operation ->> 'collection', p_operation ->> 'table');
begin
  if v_named is not null and (logic.collection_find(p_workspace_id, v_named)).key <> p_collection then
    perform logic.raise_refusal('unknown_record');
  end if;
end
$$;
comment on function logic.operation_collection_check(uuid, jsonb, text) is 'Whether an operation is about a record of the collection that it names.';
