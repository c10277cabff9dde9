-- A page of what a search finds in a workspace for who may read with p_read (as the setting rowcast.read): the best first, of equal
-- ones the newest. p_after: rank, created_at, id and workspace of the last one before the page.
-- For definers only, who check that the caller holds these rights.
create or replace function logic.search_find(
  p_workspace_id uuid, p_read text, p_q text, p_collection text, p_after jsonb, p_limit integer)
returns table (workspace_id uuid, record_id uuid, rank real, created_at timestamptz, comments uuid[])
language sql stable
as $$
  select r.workspace_id, r.id, h.rank, r.created_at, h.comments
  from logic.search_hits(p_workspace_id, p_q, true) h
  join core.record r on r.workspace_id = p_workspace_id and r.id = h.record_id
  where r.deleted_at is null
    and (p_collection is null or r.collection = p_collection)
    and (p_read = '*' or core.granted_token(p_read, r.collection, r.audience))
    and (p_after is null or (h.rank, r.created_at, r.id, r.workspace_id)
      < ((p_after ->> 0)::real, (p_after ->> 1)::timestamptz, (p_after ->> 2)::uuid, (p_after ->> 3)::uuid))
  order by h.rank desc, r.created_at desc, r.id desc
  limit p_limit
$$;
comment on function logic.search_find(uuid, text, text, text, jsonb, integer) is 'A page of what a search finds in a workspace.';
