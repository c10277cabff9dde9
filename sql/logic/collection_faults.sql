-- What is wrong with a collection that is to be made or changed: names that are taken, have not their form, or would be mistaken for
-- another thing, such as the events of comments.
create or replace function logic.collection_faults(p_collection core.collection, p_new boolean) returns table (path text, message text)
language sql stable
as $$
  with others as (
    select * from core.collection c where c.workspace_id = p_collection.workspace_id and (p_new or c.key <> p_collection.key)
  )
  select n.path, case
    when n.name !~ '^[a-z][a-z0-9_]{0,39}$' then 'Is a-z, 0-9 and _, a letter first, 40 in all.'
    when n.name in ('comment', 'attachment', 'member', 'workspace', 'schema', 'role', 'record') then 'This name is taken by something else.'
    else 'Another collection has this name.' end
  from (values ('key', p_collection.key), ('plural', p_collection.plural)) n(path, name)
  where n.name !~ '^[a-z][a-z0-9_]{0,39}$'
    or n.name in ('comment', 'attachment', 'member', 'workspace', 'schema', 'role', 'record')
    or exists (select from others o where n.name in (o.key, o.plural))
  union all
  select 'prefix', case when p_collection.prefix !~ '^[A-Z][A-Z0-9]{0,9}$' then 'Is A-Z and 0-9, a letter first, 10 in all.'
    else 'Another collection has this prefix.' end
  where p_collection.prefix !~ '^[A-Z][A-Z0-9]{0,9}$' or exists (select from others o where o.prefix = p_collection.prefix)
  union all
  select 'unknownFields', 'Is keep or refuse.'
  where p_collection.unknown_fields not in ('keep', 'refuse')
$$;
comment on function logic.collection_faults(core.collection, boolean) is 'What is wrong with a collection.';
