-- What the search index holds of a comment: its words (weight C), and a lexeme of its workspace.
create or replace function logic.search_comment_words(p_workspace_id uuid, p_scheme jsonb, p_body text) returns tsvector
language sql stable parallel safe
as $$
  select logic.search_text(logic.search_config(p_scheme ->> 'language'), p_body, 20000, 'C')
    || array_to_tsvector(array['ws:' || p_workspace_id])
$$;
comment on function logic.search_comment_words(uuid, jsonb, text) is 'The words of a comment for the search index.';
