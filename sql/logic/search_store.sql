-- Brings the search index up to date for some records, and of their comments for those named (null: all) and those that it lacks.
-- Locks: the index's own rows. Writers never touch them.
create or replace function logic.search_store(p_workspace_id uuid, p_scheme jsonb, p_records uuid[], p_comments uuid[]) returns void
language plpgsql volatile
as $$
begin
  delete from core.search_entry e
  where e.workspace_id = p_workspace_id and e.record_id = any (p_records)
    and not exists (
      select from core.record r where r.workspace_id = e.workspace_id and r.id = e.record_id and r.deleted_at is null);
  delete from core.search_entry e
  using core.comment c
  where c.workspace_id = p_workspace_id and c.id = any (p_comments) and c.deleted_at is not null
    and e.workspace_id = c.workspace_id and e.record_id = c.record_id and e.comment_id = c.id;
  insert into core.search_entry as e (workspace_id, record_id, words)
  select r.workspace_id, r.id, logic.search_words(r.workspace_id, p_scheme, r.collection, r.data)
  from core.record r
  where r.workspace_id = p_workspace_id and r.id = any (p_records) and r.deleted_at is null
  on conflict (workspace_id, record_id, comment_id) do update set words = excluded.words where e.words <> excluded.words;
  insert into core.search_entry as e (workspace_id, record_id, comment_id, words)
  select c.workspace_id, c.record_id, c.id, logic.search_comment_words(c.workspace_id, p_scheme, c.body)
  from core.record r
  join core.comment c on c.workspace_id = r.workspace_id and c.record_id = r.id and c.deleted_at is null
  where r.workspace_id = p_workspace_id and r.id = any (p_records) and r.deleted_at is null and r.comment_count > 0
    and (p_comments is null or c.id = any (p_comments) or not exists (
      select from core.search_entry k where k.workspace_id = c.workspace_id and k.record_id = c.record_id and k.comment_id = c.id))
  on conflict (workspace_id, record_id, comment_id) do update set words = excluded.words where e.words <> excluded.words;
end
$$;
comment on function logic.search_store(uuid, jsonb, uuid[], uuid[]) is 'Brings the search index up to date for some records.';
