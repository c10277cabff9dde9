-- How far a piece of the log behind a seq goes that tells of p_limit records and notices at most, from ten times as many changes and 1 MiB of them
-- (one change at least): the seq of its last change, null where there is none, and whether more follow.
-- Definer: the log is open to nobody.
create or replace function logic.changes_end(p_workspace_id uuid, p_since bigint, p_limit integer, out last bigint, out more boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select max(s.seq) filter (where s.fits), coalesce(bool_or(not s.fits), false)
  from (
    select l.seq, l.n <= p_limit * 10 and sum(l.is_new) over w <= p_limit and sum(l.size) over w - l.size < 1048576 as fits
    from (
      select o.seq, logic.jsonb_size(o.patch) + logic.jsonb_size(o.document) as size, row_number() over (order by o.seq) as n,
        (not o.is_of_document or row_number() over (partition by o.record_id, o.is_of_document order by o.seq) = 1)::integer as is_new
      from (
        select c.seq, c.record_id, c.patch, c.document, logic.change_is_of_document(c) as is_of_document
        from core.change c
        where c.workspace_id = p_workspace_id and c.seq > p_since
        order by c.seq
        limit p_limit * 10 + 1
      ) o
    ) l
    window w as (order by l.seq)
  ) s
$$;
comment on function logic.changes_end(uuid, bigint, integer) is 'How far a piece of the log goes.';
