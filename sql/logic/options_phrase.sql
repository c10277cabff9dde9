-- Not more than a person reads: the first twenty.
create or replace function logic.options_phrase(p_options jsonb) returns text
language sql immutable parallel safe
as $$
  select string_agg(left(o.value, 60), ', ' order by o.n) || case when count(*) < jsonb_array_length(p_options) then ', …' else '' end
  from jsonb_array_elements_text(p_options) with ordinality o(value, n)
  where o.n <= 20
$$;
comment on function logic.options_phrase(jsonb) is 'The options of a field within a sentence.';
