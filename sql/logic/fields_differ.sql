-- Whether a definition is another than what the collection has. A default that is JSON's null is none.
create or replace function logic.fields_differ(p_workspace_id uuid, p_collection text, p_fields jsonb) returns boolean
language sql stable
as $$
  select coalesce(jsonb_agg(to_jsonb(r.field) || jsonb_build_object('position', r.n) order by r.n), '[]') is distinct from (
    select coalesce(jsonb_agg(to_jsonb(f) - 'n' || jsonb_build_object('options', logic.options_shape(f.options), 'position', f.n) order by f.n), '[]')
    from (
      select o.*, row_number() over (order by o.position, o.key) as n
      from core.field o
      where o.workspace_id = p_workspace_id and o.collection = p_collection
    ) f)
  from logic.fields_read(p_workspace_id, p_collection, p_fields) r
$$;
comment on function logic.fields_differ(uuid, text, jsonb) is 'Whether a definition is another than what the collection has.';
