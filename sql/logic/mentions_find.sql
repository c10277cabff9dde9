-- Whom a text mentions: of some people those whose whole name, first name or e-mail address stands in it behind an @, whatever
-- its case. The longest match counts, so that `@Ada Lovelace` is not every Ada; who shares a name is mentioned together. The @ does
-- not follow a letter or digit (an address is no mention), and what matches ends at the end of a word. In order of first mention.
-- Only the first 200 places count. A place and a handle meet by their first word, so that neither is compared with all others.
create or replace function logic.mentions_find(p_body text, p_ids uuid[], p_names text[], p_emails text[]) returns uuid[]
language sql immutable parallel safe
as $$
  with parts as (
    select s.n, s.part, lead(s.part) over w as next, right(lag(s.part) over w, 1) as ahead
    from string_to_table(regexp_replace(p_body, '\s+', ' ', 'g'), '@') with ordinality s(part, n)
    window w as (order by s.n)
  ),
  places as (
    select p.n, lower(concat_ws('@', left(p.part, 330), left(p.next, 330))) as tail,
      lower(coalesce(substring(p.part from '^\w+'), left(p.part, 1))) as word
    from parts p
    where p.ahead !~ '\w' and p.part !~ '^( |$)'
    order by p.n
    limit 200
  ),
  handles as (
    select h.id, h.handle, coalesce(substring(h.handle from '^\w+'), left(h.handle, 1)) as word
    from (
      select a.id, lower(btrim(regexp_replace(x.handle, '\s+', ' ', 'g'))) as handle
      from unnest(p_ids, p_names, p_emails) a(id, name, email)
      cross join lateral (values (a.name), (split_part(btrim(a.name), ' ', 1)), (a.email)) x(handle)
    ) h
    where h.handle <> ''
  ),
  found as (
    select m.id, m.n, m.length, max(m.length) over (partition by m.n) as longest
    from (
      select distinct h.id, p.n, length(h.handle) as length
      from places p
      join handles h on h.word = p.word and starts_with(p.tail, h.handle)
      where substr(p.tail, length(h.handle) + 1, 1) !~ '\w'
    ) m
  )
  select coalesce(array_agg(f.id order by f.n, f.id), '{}')
  from (
    select s.id, min(s.n) as n
    from found s
    where s.length = s.longest
    group by s.id
  ) f
$$;
comment on function logic.mentions_find(text, uuid[], text[], text[]) is 'Whom a text mentions.';
