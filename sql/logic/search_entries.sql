-- What matches a query in a workspace, exactly, whoever may see it: records and comments (else the nil uuid), with their rank if asked
-- for. A null query matches all. From the index comes what has not changed since it was made; records that have, and what is said about
-- them, are looked at as they are now: after an import this is slower until the index has caught up.
-- For definers only (nobody else may read the index), who check workspace and rights.
create or replace function logic.search_entries(p_workspace_id uuid, p_query tsquery, p_ranked boolean default false)
returns table (record_id uuid, comment_id uuid, rank real)
language plpgsql stable
as $$
declare
  v_fresh constant record := logic.search_fresh(p_workspace_id);
  v_tag constant tsquery := logic.search_lexeme_query('ws:' || p_workspace_id);
  v_nil constant uuid := '00000000-0000-0000-0000-000000000000';
begin
  return query
    select e.record_id, e.comment_id, case when p_ranked then logic.search_rank(e.words, p_query) end
    from core.search_entry e
    where e.workspace_id = p_workspace_id
      and e.words @@ coalesce(p_query && v_tag, v_tag)
      and (v_fresh.rebuilt is null or e.record_id <= v_fresh.rebuilt)
      and not exists (select from unnest(v_fresh.records) f(id) where f.id = e.record_id);
  return query
    select w.record_id, w.comment_id, case when p_ranked then logic.search_rank(w.words, p_query) end
    from (
      select r.id as record_id, v_nil as comment_id, logic.search_words(r.workspace_id, v_fresh.scheme, r.collection, r.data) as words
      from unnest(v_fresh.records) f(id)
      join core.record r on r.workspace_id = p_workspace_id and r.id = f.id and r.deleted_at is null
      union all
      select c.record_id, c.id, logic.search_comment_words(c.workspace_id, v_fresh.scheme, c.body)
      from unnest(v_fresh.records) f(id)
      join core.record r on r.workspace_id = p_workspace_id and r.id = f.id and r.deleted_at is null and r.comment_count > 0
      join core.comment c on c.workspace_id = p_workspace_id and c.record_id = r.id and c.deleted_at is null
      offset 0
    ) w
    where p_query is null or w.words @@ p_query;
end
$$;
comment on function logic.search_entries(uuid, tsquery, boolean) is 'What matches a query in a workspace.';
