-- One term of a filter (see filter_compile). A list field is equal to, or contains, what one of its elements is. contains folds
-- case by the rules of the database, on both sides (the C collation, in which texts are compared, folds ASCII only).
create or replace function logic.filter_condition(
  p_key text, p_expression text, p_type text, p_operator text, p_value text) returns text
language plpgsql stable
as $$
declare
  v_type constant text := case p_type when 'list' then 'text' else p_type end;
  v_values constant text[] := case p_operator when 'in' then string_to_array(p_value, ',') else array[p_value] end;
  v_equal constant text := case p_type
    when 'list' then format('coalesce(r.data -> %L ?| %L, false)', p_key, v_values)
    else format('coalesce(%s = any (%L::%s[]), false)', p_expression, v_values, v_type)
  end;
begin
  case p_operator
    when 'eq', 'in' then return v_equal;
    when 'ne' then return 'not ' || v_equal;
    when 'gt' then return format('%s > %L::%s', p_expression, p_value, v_type);
    when 'gte' then return format('%s >= %L::%s', p_expression, p_value, v_type);
    when 'lt' then return format('%s < %L::%s', p_expression, p_value, v_type);
    when 'lte' then return format('%s <= %L::%s', p_expression, p_value, v_type);
    when 'contains' then return case p_type
      when 'list' then v_equal
      else format('strpos(lower((%s)::text collate "default"), lower(%L)) > 0', p_expression, p_value)
    end;
    when 'empty' then return format('((%s) is null) = %L::boolean', p_expression, p_value);
    else
      raise sqlstate 'PT422' using message = format('There is no operator %s.', to_jsonb(p_operator)), hint = 'unknown_operator',
        detail = jsonb_build_object('errors', jsonb_build_array(
          jsonb_build_object('path', p_key, 'message', format('unknown operator %s', p_operator))));
  end case;
end
$$;
comment on function logic.filter_condition(text, text, text, text, text) is 'One term of a filter as a condition.';
