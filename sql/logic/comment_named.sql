-- The facts of a comment as clients see them: its author and whom it mentions by their names of today.
-- Definer, since accounts are open to nobody; who may read the comment may know these names.
create or replace function logic.comment_named(p_facts jsonb) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select (p_facts - 'authorId') || jsonb_build_object(
    'author', (
      select jsonb_build_object('id', a.id, 'name', a.name)
      from core.account a
      where a.id = (p_facts ->> 'authorId')::uuid),
    'mentions', (
      select coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'name', a.name) order by m.n), '[]')
      from jsonb_array_elements_text(p_facts -> 'mentions') with ordinality m(id, n)
      join core.account a on a.id = m.id::uuid))
$$;
comment on function logic.comment_named(jsonb) is 'The facts of a comment with the names of people.';
