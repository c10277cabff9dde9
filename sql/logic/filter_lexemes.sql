-- What of a filter (see filter_compile) the search index can answer: the terms eq and in (of lists contains too) on select, multi_select,
-- boolean, user and reference fields, as a query that matches every record which the filter finds; null where there is no such term.
create or replace function logic.filter_lexemes(p_workspace_id uuid, p_collection text, p_filter jsonb) returns tsquery
language plpgsql stable
as $$
declare
  v_term record;
  v_any tsquery;
  v_value text;
  v_all tsquery;
begin
  for v_term in
    select k.key, case o.operator when 'in' then logic.list_split(o.value) else array[o.value] end as values
    from jsonb_each(coalesce(p_filter, '{}')) k
    cross join lateral jsonb_each_text(k.value) o(operator, value)
    join core.field f on f.workspace_id = p_workspace_id and f.collection = p_collection and f.key = k.key
      and f.type in ('select', 'multi_select', 'boolean', 'user', 'reference')
    where o.operator in ('eq', 'in') or (o.operator = 'contains' and f.type = 'multi_select')
  loop
    v_any := null;
    foreach v_value in array v_term.values loop
      v_value := logic.search_lexeme(v_term.key, case when logic.is_uuid(v_value) then lower(v_value) else v_value end);
      exit when v_value is null;
      v_any := coalesce(v_any || logic.search_lexeme_query(v_value), logic.search_lexeme_query(v_value));
    end loop;
    if v_value is not null then
      v_all := coalesce(v_all && v_any, v_any);
    end if;
  end loop;
  return v_all;
end
$$;
comment on function logic.filter_lexemes(uuid, text, jsonb) is 'What of a filter the search index can answer.';
