-- One term of a filter (see filter_compile). A list field is equal to, or contains, what one of its elements is.
create or replace function logic.filter_condition(
  p_key text, p_expression text, p_type text, p_operator text, p_value text) returns text
language plpgsql stable
as $$
declare
  v_type constant text := case p_type when 'list' then 'text' else p_type end;
  v_equal constant text := case p_type
    when 'list' then format('coalesce(r.data -> %L ?| %%L, false)', p_key)
    else format('coalesce(%s = any (%%L::%s[]), false)', p_expression, v_type)
  end;
begin
  case p_operator
    when 'eq' then return format(v_equal, array[p_value]);
    when 'ne' then return format('not ' || v_equal, array[p_value]);
    when 'in' then return format(v_equal, string_to_array(p_value, ','));
    when 'gt' then return format('%s > %L::%s', p_expression, p_value, v_type);
    when 'gte' then return format('%s >= %L::%s', p_expression, p_value, v_type);
    when 'lt' then return format('%s < %L::%s', p_expression, p_value, v_type);
    when 'lte' then return format('%s <= %L::%s', p_expression, p_value, v_type);
    when 'contains' then return format('strpos(lower((%s)::text), lower(%L)) > 0', p_expression, p_value);
    when 'empty' then return format('((%s) is null) = %L::boolean', p_expression, p_value);
    else
      raise sqlstate 'PT422' using message = format('There is no operator %s.', to_jsonb(p_operator)), hint = 'unknown_operator',
        detail = jsonb_build_object('errors', jsonb_build_array(
          jsonb_build_object('path', p_key, 'message', format('unknown operator %s', p_operator))));
  end case;
end
$$;
comment on function logic.filter_condition(text, text, text, text, text) is 'One term of a filter as a condition.';
