-- test_run becomes TestRun. No two keys become the same: only an underscore before a letter goes.
create or replace function logic.typescript_name(p_key text) returns text
language sql immutable parallel safe
as $$
  select string_agg(case when p.n = 1 or p.part ~ '^[a-z]' then upper(left(p.part, 1)) || substr(p.part, 2) else '_' || p.part end, '' order by p.n)
  from regexp_split_to_table(p_key, '_') with ordinality p(part, n)
$$;
comment on function logic.typescript_name(text) is 'A collection as a TypeScript type.';
