-- a; a and b; a, b and c; a, b and 3 more, where there are many.
create or replace function logic.words_join(p_words text[]) returns text
language sql immutable parallel safe
as $$
  select case
    when cardinality(p_words) > 4 then array_to_string(p_words[1:3], ', ') || ' and ' || cardinality(p_words) - 3 || ' more'
    when cardinality(p_words) > 1 then array_to_string(trim_array(p_words, 1), ', ') || ' and ' || p_words[cardinality(p_words)]
    else coalesce(p_words[1], '')
  end
$$;
comment on function logic.words_join(text[]) is 'Words as a sentence lists them.';
