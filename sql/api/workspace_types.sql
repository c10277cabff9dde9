-- GET …/types.d.ts: TypeScript types of the collections of a workspace, as one JSON string. Their order is that of the collections and fields,
-- so that the text changes only where they do.
create or replace function api.workspace_types(p_workspace_id uuid) returns jsonb
language sql stable
as $$
  select to_jsonb(concat_ws(E'\n\n',
    '// The collections of a workspace of Rowcast, made from its fields.',
    logic.typescript_envelope(),
    nullif(string_agg(logic.typescript_collection(c), E'\n\n' order by c.position, c.key), ''),
    logic.typescript_doc('The records of each collection, by its key.', '') || E'export interface Collections {\n'
      || coalesce(string_agg(format('  %s: %sRecord;', logic.typescript_key(c.key), logic.typescript_name(c.key)), E'\n' order by c.position, c.key)
        || E'\n', '') || '}') || E'\n')
  from core.collection c
  where c.workspace_id = p_workspace_id
$$;
comment on function api.workspace_types(uuid) is 'TypeScript types of the collections of a workspace.';
