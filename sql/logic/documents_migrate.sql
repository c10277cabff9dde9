-- Rewrites the documents of a collection by the steps of a migration, those that change; and tells them which fields hold users now, in
-- the same write, so that whom a record concerns is found in its new document.
-- Locks: these records, under the clock, which is held already.
create or replace function logic.documents_migrate(p_workspace_id uuid, p_collection text, p_steps jsonb, p_user_fields text[]) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  with migrated as materialized (
    select r.id, logic.document_migrate(p_steps, r.data) as data
    from core.record r
    where r.workspace_id = p_workspace_id and r.collection = p_collection
  )
  update core.record r
  set data = m.data, user_fields = p_user_fields
  from migrated m
  where r.workspace_id = p_workspace_id and r.id = m.id
    and (r.data <> m.data or r.user_fields <> p_user_fields);
end
$$;
comment on function logic.documents_migrate(uuid, text, jsonb, text[]) is 'Rewrites the documents of a collection.';
