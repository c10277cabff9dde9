-- A text as HTML with what matched in <mark>: whole where it is short, else its best pieces; null where nothing in it did. Everything
-- else is escaped. It is escaped first, since ts_headline drops what looks like a tag; entities it leaves alone. At most 20,000
-- characters are looked at. Words are marked by their stems, and where that marks nothing, as they stand.
create or replace function logic.search_highlight(p_config regconfig, p_text text, p_marks tsquery) returns text
language sql immutable parallel safe
as $$
  select max(h.html)
  from (
    select replace(replace(replace(replace(replace(left(p_text, 20000),
        '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;') as text,
      'StartSel=<mark>, StopSel=</mark>, ' || case when length(p_text) <= 300 then 'HighlightAll=true'
        else 'MaxFragments=2, MaxWords=20, MinWords=8, FragmentDelimiter=" … "' end as options
  ) e
  cross join lateral (
    select case when f.html like '%<mark>%' then f.html else ts_headline('pg_catalog.simple', e.text, p_marks, e.options) end as html
    from ts_headline(p_config, e.text, p_marks, e.options) f(html)
  ) h
  where h.html like '%<mark>%'
$$;
comment on function logic.search_highlight(regconfig, text, tsquery) is 'A text as HTML with what matched in <mark>.';
