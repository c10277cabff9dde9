-- Collections are keyed in the singular; the plural is accepted wherever a key is. Raises PT404 unknown_collection.
create or replace function logic.collection_find(p_workspace_id uuid, p_key text) returns core.collection
language plpgsql stable
as $$
declare
  v_collection core.collection;
begin
  select * into v_collection
  from core.collection c
  where c.workspace_id = p_workspace_id and (c.key = p_key or c.plural = p_key);
  if v_collection.key is null then
    perform logic.raise_refusal('unknown_collection');
  end if;
  return v_collection;
end
$$;
comment on function logic.collection_find(uuid, text) is 'A collection by its key or plural.';
