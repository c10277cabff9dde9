-- By what a workspace is indexed and searched: {language, collections: {<key>: {title, texts, exact}}}. Of a collection the title-like
-- field (its first text field), the other fields of text, and those whose values are found as they stand. An index that was made by
-- another scheme is made anew, whoever changed language or fields.
create or replace function logic.search_scheme(p_workspace_id uuid) returns jsonb
language sql stable
as $$
  select jsonb_build_object('language', w.language, 'collections', coalesce((
    select jsonb_object_agg(c.collection, jsonb_build_object('title', c.title, 'texts', array_remove(c.texts, c.title), 'exact', c.exact))
    from (
      select f.collection,
        (array_agg(f.key order by f.position, f.key) filter (where f.type = 'text'))[1] as title,
        coalesce(array_agg(f.key order by f.position, f.key) filter (where f.type in ('text', 'long_text', 'url')), '{}') as texts,
        coalesce(array_agg(f.key order by f.key)
          filter (where f.type in ('select', 'multi_select', 'boolean', 'user', 'reference')), '{}') as exact
      from core.field f
      where f.workspace_id = p_workspace_id
      group by f.collection
    ) c), '{}'))
  from core.workspace w
  where w.workspace_id = p_workspace_id
$$;
comment on function logic.search_scheme(uuid) is 'The language and fields by which a workspace is searched.';
