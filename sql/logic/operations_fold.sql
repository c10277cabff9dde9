-- A document after several operations. Raises as operation_apply.
create or replace function logic.operations_fold(p_data jsonb, p_operations jsonb) returns jsonb
language plpgsql stable
as $$
declare
  v_operation jsonb;
begin
  for v_operation in select o.value from jsonb_array_elements(p_operations) with ordinality o(value, n) order by o.n loop
    p_data := logic.operation_apply(p_data, v_operation);
  end loop;
  return p_data;
end
$$;
comment on function logic.operations_fold(jsonb, jsonb) is 'A document after several operations.';
