-- Rewrites the documents of a collection by the steps of a migration, those that change, in order of number; and tells them which fields
-- hold users now, in the same write, so that whom a record concerns is found in its new document.
create or replace function logic.documents_migrate(p_workspace_id uuid, p_collection text, p_steps jsonb, p_user_fields text[]) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_record record;
begin
  for v_record in
    select r.id, r.data as before, r.user_fields, logic.document_migrate(p_steps, r.data) as data
    from core.record r
    where r.workspace_id = p_workspace_id and r.collection = p_collection
    order by r.number
  loop
    if v_record.data <> v_record.before or v_record.user_fields <> p_user_fields then
      update core.record r
      set data = v_record.data, user_fields = p_user_fields
      where r.workspace_id = p_workspace_id and r.id = v_record.id;
    end if;
  end loop;
end
$$;
comment on function logic.documents_migrate(uuid, text, jsonb, text[]) is 'Rewrites the documents of a collection.';
