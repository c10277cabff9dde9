-- The values of an `in`: separated by commas. One that holds commas itself stands in double quotes, those within it doubled.
create or replace function logic.list_split(p_text text) returns text[]
language sql immutable strict parallel safe
as $$
  select array_agg(coalesce(replace(m.part[1], '""', '"'), m.part[2]) order by m.n)
  from regexp_matches(',' || p_text, ',(?:"((?:[^"]|"")*)"(?=,|$)|([^,]*))', 'g') with ordinality m(part, n)
$$;
comment on function logic.list_split(text) is 'The values of a list that is separated by commas.';
