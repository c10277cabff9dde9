-- One term of a filter (see filter_compile) as a condition over core.record r.
-- What a document holds is compared as JSON where it has to be equal, so that a value of another type never is. A list field, and one
-- of ids, is equal to what one of its elements is. contains folds case by the rules of the database, on both sides (the C collation,
-- in which texts are compared, folds ASCII only); of a select it looks at the value, behind the four digits of its place.
-- Raises PT422 unknown_operator, also for one that says nothing about this kind of field; invalid_value.
create or replace function logic.filter_condition(
  p_key text, p_expression text, p_type text, p_kind text, p_options text[], p_operator text, p_value text) returns text
language plpgsql stable
as $$
declare
  v_values text[];
  v_equal text;
begin
  if p_operator <> all ('{eq,ne,in,gt,gte,lt,lte,contains,empty}') then
    raise sqlstate 'PT422' using message = format('There is no operator %s.', to_jsonb(p_operator)), hint = 'unknown_operator',
      detail = jsonb_build_object('errors', jsonb_build_array(
        jsonb_build_object('path', p_key, 'message', format('unknown operator %s', p_operator))));
  end if;
  if (p_operator in ('gt', 'gte', 'lt', 'lte') and p_kind in ('list', 'id'))
      or (p_operator = 'contains' and p_kind not in ('text', 'select', 'list') and (p_kind, p_type) <> ('column', 'text')) then
    perform logic.filter_refuse(p_key, p_operator, 'unknown_operator', 'this operator says nothing about such a field');
  end if;
  v_values := array(
    select logic.filter_operand(p_key, p_operator, p_type, p_kind, p_options, v.value)
    from unnest(case p_operator when 'in' then logic.list_split(p_value) else array[p_value] end) with ordinality v(value, n)
    order by v.n);
  v_equal := case p_kind
    when 'list' then format('coalesce(jsonb_typeof(r.data -> %1$L) = ''array'' and r.data -> %1$L ?| %2$L, false)', p_key, v_values)
    when 'id' then format(
      'coalesce(jsonb_typeof(r.data -> %1$L) in (''string'', ''array'') and r.data -> %1$L ?| %2$L, false)',
      p_key, v_values || array(select upper(v) from unnest(v_values) v))
    when 'select' then format('coalesce(r.data -> %L = any (%L::jsonb[]), false)', p_key, array(select to_jsonb(substr(v, 5)) from unnest(v_values) v))
    else format('coalesce(%s = any (%L::%s[]), false)', p_expression, v_values, p_type)
  end;
  return case p_operator
    when 'eq' then v_equal
    when 'in' then v_equal
    when 'ne' then 'not ' || v_equal
    when 'contains' then case p_kind
      when 'list' then v_equal
      when 'select' then format('strpos(lower(substr(%s, 5) collate "default"), lower(%L)) > 0', p_expression, substr(v_values[1], 5))
      else format('strpos(lower((%s)::text collate "default"), lower(%L)) > 0', p_expression, v_values[1])
    end
    when 'empty' then format('((%s) is null) = %L::boolean', p_expression, v_values[1])
    else format('%s %s %L::%s', p_expression, case p_operator when 'gt' then '>' when 'gte' then '>=' when 'lt' then '<' else '<=' end,
      v_values[1], p_type)
  end;
end
$$;
comment on function logic.filter_condition(text, text, text, text, text[], text, text) is 'One term of a filter as a condition.';
