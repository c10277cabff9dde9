-- A document after one operation of a transaction on it. The operation's path leads to a field or into it; set-now writes the
-- time as text, and leaves system fields to the write itself.
-- Raises PT422 invalid_operation, invalid_path, not_a_number, number_out_of_range, not_a_list.
create or replace function logic.operation_apply(p_data jsonb, p_operation jsonb) returns jsonb
language plpgsql stable
as $$
declare
  v_path constant text[] := logic.operation_path(p_operation);
  v_old constant jsonb := p_data #> v_path;
  v_sum numeric;
begin
  case p_operation ->> 'type'
    when 'set' then
      return logic.jsonb_put(p_data, v_path, p_operation -> 'value');
    when 'set-now' then
      if cardinality(v_path) = 1 and logic.is_system_field(v_path[1]) then
        return p_data;
      end if;
      return logic.jsonb_put(p_data, v_path, to_jsonb(logic.utc(clock_timestamp())));
    when 'unset' then
      return logic.jsonb_put(p_data, v_path, null);
    when 'merge' then
      return logic.jsonb_merge_patch(p_data, p_operation -> 'patch');
    when 'increment' then
      if jsonb_typeof(coalesce(v_old, '0')) <> 'number' then
        raise sqlstate 'PT422' using message = format('%s holds no number.', array_to_string(v_path, '.')), hint = 'not_a_number';
      end if;
      v_sum := coalesce(v_old, '0')::numeric + (p_operation -> 'by')::numeric;
      if abs(v_sum) > 1.7976931348623157e308 then
        raise sqlstate 'PT422' using message = format('%s would be out of range.', array_to_string(v_path, '.')), hint = 'number_out_of_range';
      end if;
      return logic.jsonb_put(p_data, v_path, to_jsonb(v_sum));
    when 'list-insert', 'list-remove' then
      if jsonb_typeof(coalesce(v_old, '[]')) <> 'array' then
        raise sqlstate 'PT422' using message = format('%s holds no list.', array_to_string(v_path, '.')), hint = 'not_a_list';
      end if;
      return logic.jsonb_put(p_data, v_path, case p_operation ->> 'type'
        when 'list-insert' then logic.jsonb_list_insert(coalesce(v_old, '[]'), p_operation -> 'value',
          nullif(p_operation -> 'before', 'null'), nullif(p_operation -> 'after', 'null'), (p_operation ->> 'index')::integer)
        else logic.jsonb_list_remove(coalesce(v_old, '[]'), p_operation -> 'value')
      end);
  end case;
end
$$;
comment on function logic.operation_apply(jsonb, jsonb) is 'A document after one operation.';
