-- The text of the query of a page, with $1 workspace, $2 collection, $3 limit, $4 offset, $5 the ids to choose from if p_among. With p_first
-- only so many records in the order of the list are looked at.
create or replace function logic.record_query(
  p_filter text, p_ordering text, p_key_values text, p_behind text, p_among boolean default false, p_first integer default null) returns text
language sql immutable parallel safe
as $$
  select format(
    $query$
      select coalesce(array_agg(p.id order by p.n) filter (where p.n <= $3), '{}'),
        (array_agg(p.key_values) filter (where p.n = $3 and p.rows > $3))[1]
      from (
        select q.*, row_number() over () as n, count(*) over () as rows
        from (
          select r.id, %1$s as key_values
          from (
            select *
            from core.record r
            where r.workspace_id = $1
              and r.collection = $2
              and r.deleted_at is null
              and core.granted('rowcast.read', r.collection, r.audience)
              and %2$s
              %3$s
            %4$s
          ) r
          where %5$s
          order by %6$s
          limit $3 + 1
          offset $4
        ) q
      ) p
    $query$,
    p_key_values, p_behind, case when p_among then 'and r.id = any ($5)' end,
    case when p_first is not null then format('order by %s limit %s', p_ordering, p_first) end, p_filter, p_ordering)
$$;
comment on function logic.record_query(text, text, text, text, boolean, integer) is 'The text of the query of a page.';
