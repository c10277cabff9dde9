-- One result of a search: {record, rank, highlights: {<field>: html}, comments?: [{id, highlight}]}: highlights of the texts in which
-- something matched, and at most three of the comments that did, the best first.
create or replace function logic.search_result(
  p_record core.record, p_rank real, p_comments uuid[], p_scheme jsonb, p_marks tsquery) returns jsonb
language plpgsql stable
as $$
declare
  v_config constant regconfig := logic.search_config(p_scheme ->> 'language');
  v_keys constant jsonb := p_scheme -> 'collections' -> p_record.collection;
  v_result jsonb := jsonb_build_object('record', logic.record_shape(p_record), 'rank', p_rank);
begin
  v_result := v_result || jsonb_build_object('highlights', coalesce((
    select jsonb_object_agg(k.key, h.html)
    from jsonb_array_elements_text((v_keys -> 'title') || (v_keys -> 'texts')) k(key)
    cross join logic.search_highlight(v_config, p_record.data ->> k.key, p_marks) h(html)
    where jsonb_typeof(p_record.data -> k.key) = 'string' and h.html is not null), '{}'));
  if p_comments is not null then
    v_result := v_result || jsonb_build_object('comments', (
      select coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'highlight', logic.search_highlight(v_config, c.body, p_marks)) order by i.n), '[]')
      from unnest(p_comments[1:3]) with ordinality i(id, n)
      join core.comment c on c.workspace_id = p_record.workspace_id and c.id = i.id and c.deleted_at is null));
  end if;
  return v_result;
end
$$;
comment on function logic.search_result(core.record, real, uuid[], jsonb, tsquery) is 'One result of a search.';
