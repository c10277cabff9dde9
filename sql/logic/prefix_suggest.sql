-- A prefix for the display ids of a new collection: the first three letters of its key, with a number where that is taken.
create or replace function logic.prefix_suggest(p_workspace_id uuid, p_key text) returns text
language sql stable
as $$
  select p.prefix
  from (select upper(left(regexp_replace(p_key, '[^a-z0-9]', '', 'g'), 3))) l(letters)
  cross join generate_series(1, 100) n
  cross join lateral (select l.letters || case when n > 1 then n::text else '' end) p(prefix)
  where not exists (select from core.collection c where c.workspace_id = p_workspace_id and c.prefix = p.prefix)
  order by n
  limit 1
$$;
comment on function logic.prefix_suggest(uuid, text) is 'A prefix for a new collection.';
