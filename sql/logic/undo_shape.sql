-- The caller's writes that can be undone (p_redo: redone), the next one first, at most 50: [{id, seq, at, text, count}]. text says what the
-- first change did that the caller may still see, count how many there are.
create or replace function logic.undo_shape(p_workspace_id uuid, p_redo boolean) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'id', t.id,
    'seq', t.last_seq,
    'at', logic.utc(t.at),
    'text', s.text,
    'count', s.count) order by t.last_seq desc), '[]')
  from logic.undo_candidates(p_workspace_id, p_redo, 50) t
  cross join lateral (
    select (select count(*) from logic.transaction_changes(t)) as count, (
        select logic.activity_shape(c, r.display_id, null, true) ->> 'text'
        from logic.transaction_changes(t) c
        join core.record r on r.workspace_id = c.workspace_id and r.id = c.record_id
        where core.granted('rowcast.read', r.collection, r.audience)
        order by c.seq
        limit 1) as text
  ) s
$$;
comment on function logic.undo_shape(uuid, boolean) is 'What the caller can undo or redo, in words.';
