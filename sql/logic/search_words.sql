-- What the search index holds of a record: its title (weight A), its other texts (B), the exact values of its select, multi_select,
-- boolean, user and reference fields, and a lexeme of its workspace. Of a title 2,000 characters, of the rest 50,000.
create or replace function logic.search_words(p_workspace_id uuid, p_scheme jsonb, p_collection text, p_data jsonb) returns tsvector
language plpgsql stable parallel safe
as $$
declare
  v_keys constant jsonb := p_scheme -> 'collections' -> p_collection;
  v_config constant regconfig := logic.search_config(p_scheme ->> 'language');
  v_title constant text := case when jsonb_typeof(p_data -> (v_keys ->> 'title')) = 'string' then p_data ->> (v_keys ->> 'title') end;
  v_text constant text := (
    select string_agg(p_data ->> k.key, E'\n' order by k.n)
    from jsonb_array_elements_text(v_keys -> 'texts') with ordinality k(key, n)
    where jsonb_typeof(p_data -> k.key) = 'string');
  v_exact constant text[] := array(
    select logic.search_lexeme(k.key, lower_id.value)
    from jsonb_array_elements_text(v_keys -> 'exact') k(key)
    cross join lateral jsonb_array_elements_text(case jsonb_typeof(p_data -> k.key)
      when 'array' then p_data -> k.key when 'string' then jsonb_build_array(p_data -> k.key) when 'boolean' then jsonb_build_array(p_data -> k.key)
      else '[]' end) v(value)
    cross join lateral (select case when logic.is_uuid(v.value) then lower(v.value) else v.value end as value) lower_id
    where octet_length(v.value) <= 200);
begin
  return logic.search_text(v_config, v_title, 2000, 'A') || logic.search_text(v_config, v_text, 50000, 'B')
    || array_to_tsvector(v_exact || array['ws:' || p_workspace_id]);
end
$$;
comment on function logic.search_words(uuid, jsonb, text, jsonb) is 'The words of a record for the search index.';
