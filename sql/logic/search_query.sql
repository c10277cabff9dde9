-- What somebody typed into a search box, as queries; never an error. Words are joined by and, quotes make a phrase, -word excludes.
-- The last word, and every one of three letters or more, also finds what begins like it. Words that the language leaves out (the, of)
-- count only where there is nothing else. wanted: null where nothing is asked for; unwanted: null where nothing is excluded; marks: what
-- to highlight.
create or replace function logic.search_query(p_language text, p_q text, out wanted tsquery, out unwanted tsquery, out marks tsquery)
language plpgsql stable parallel safe
as $$
declare
  v_config constant regconfig := logic.search_config(p_language);
  v_token record;
  v_term tsquery;
  v_left_out tsquery := '';
begin
  for v_token in
    select m.part[1] = '-' as excluded, m.part[2] is not null as phrase, coalesce(m.part[2], m.part[3]) as text, m.n = count(*) over () as last
    from regexp_matches(translate(p_q, '<>', '  '), '(-?)(?:"([^"]*)"?|([^\s"]+))', 'g') with ordinality m(part, n)
    order by m.n
  loop
    v_term := phraseto_tsquery(v_config, v_token.text);
    if numnode(v_term) = 0 then
      v_left_out := v_left_out && case when v_token.excluded then '' else phraseto_tsquery('pg_catalog.simple', v_token.text) end;
    elsif v_token.excluded then
      unwanted := coalesce(unwanted || v_term, v_term);
    else
      if not v_token.phrase and (v_token.last or length(v_token.text) >= 3) then
        v_term := v_term || to_tsquery('pg_catalog.simple', logic.search_lexeme_query(v_token.text)::text || ':*');
      end if;
      wanted := coalesce(wanted && v_term, v_term);
      marks := coalesce(marks || v_term, v_term);
    end if;
  end loop;
  if wanted is null and numnode(v_left_out) > 0 then
    wanted := v_left_out;
    marks := v_left_out;
  end if;
end
$$;
comment on function logic.search_query(text, text) is 'What was typed into a search box, as queries.';
