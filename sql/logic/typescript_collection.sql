-- Two types of a collection: its document, and its record.
create or replace function logic.typescript_collection(p_collection core.collection) returns text
language sql stable
as $$
  select logic.typescript_doc(p_collection.label, '') || format(E'export interface %sData {\n', logic.typescript_name(p_collection.key))
    || coalesce(string_agg(logic.typescript_doc(f.label, '  ')
      || format(E'  %s%s: %s;\n', logic.typescript_key(f.key), case when f.required then '' else '?' end, logic.typescript_type(f)), ''
      order by f.position, f.key), '')
    || case when p_collection.unknown_fields = 'keep' then E'  [key: string]: unknown;\n' else '' end
    || format(E'}\n\nexport type %1$sRecord = Envelope<%2$s, %1$sData>;', logic.typescript_name(p_collection.key), logic.typescript_string(p_collection.key))
  from core.field f
  where f.workspace_id = p_collection.workspace_id and f.collection = p_collection.key
$$;
comment on function logic.typescript_collection(core.collection) is 'The TypeScript types of a collection.';
