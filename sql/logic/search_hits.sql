-- The records of a workspace that what was typed finds, whoever may see them: their rank, and which of their comments match, the best
-- first. A record that is named by its display id, in any case and without its leading zeros too, comes first, with rank 1. Who
-- excludes a word does not find a record that holds it, be it in a comment.
-- For definers only, who check workspace and rights.
create or replace function logic.search_hits(p_workspace_id uuid, p_q text, p_ranked boolean default false)
returns table (record_id uuid, rank real, comments uuid[])
language plpgsql stable
as $$
declare
  v_query constant record := logic.search_query(
    (select w.language from core.workspace w where w.workspace_id = p_workspace_id), p_q);
  v_display constant text[] := regexp_match(btrim(p_q), '^([A-Za-z][A-Za-z0-9]{0,9})-(\d{1,9})-(\d{1,15})$');
  v_named uuid;
begin
  if v_display is not null then
    select r.id into v_named
    from core.workspace w
    join core.collection c on c.workspace_id = w.workspace_id and c.prefix = upper(v_display[1])
    join core.record r on r.workspace_id = c.workspace_id and r.collection = c.key and r.number = v_display[3]::bigint
    where w.workspace_id = p_workspace_id and w.number = v_display[2]::integer and r.deleted_at is null;
  end if;
  return query select v_named, 1::real, null::uuid[] where v_named is not null;
  if v_query.wanted is not null or v_query.unwanted is not null then
    return query
      select e.record_id, max(e.rank),
        array_agg(e.comment_id order by e.rank desc, e.comment_id) filter (where e.comment_id <> '00000000-0000-0000-0000-000000000000')
      from logic.search_entries(p_workspace_id, v_query.wanted, p_ranked) e
      where e.record_id is distinct from v_named
      group by e.record_id
      having v_query.unwanted is null
        or e.record_id <> all (array(select u.record_id from logic.search_entries(p_workspace_id, v_query.unwanted) u));
  end if;
end
$$;
comment on function logic.search_hits(uuid, text, boolean) is 'The records that a search finds.';
