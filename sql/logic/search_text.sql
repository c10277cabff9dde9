-- The words of a text: by their stems, and as they stand, so that every beginning of a word finds it, also one that is longer than
-- its stem (`runni`), and words that the language leaves out. At most p_length characters are looked at. What looks like a tag is text
-- too (List<String>), which the parser would leave out.
create or replace function logic.search_text(p_config regconfig, p_text text, p_length integer, p_weight "char") returns tsvector
language sql immutable parallel safe
as $$
  select setweight(case
    when p_text is null then ''
    when p_config = 'pg_catalog.simple'::regconfig then to_tsvector(p_config, translate(left(p_text, p_length), '<>', '  '))
    else to_tsvector(p_config, translate(left(p_text, p_length), '<>', '  ')) || to_tsvector('pg_catalog.simple', translate(left(p_text, p_length), '<>', '  '))
  end, p_weight)
$$;
comment on function logic.search_text(regconfig, text, integer, "char") is 'The words of a text.';
