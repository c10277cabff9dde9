-- A document with steps and list operations on a field taken back by their meaning (see operation_inverse); null where there are none, and where
-- the value is by now none that they can be taken back from: no number, no list.
create or replace function logic.steps_back(p_data jsonb, p_operations jsonb) returns jsonb
language plpgsql stable
as $$
declare
  v_operation jsonb;
begin
  for v_operation in select o.value from jsonb_array_elements(p_operations) with ordinality o(value, n) order by o.n loop
    p_data := logic.operation_apply(p_data, v_operation);
  end loop;
  return case when p_operations <> '[]' then p_data end;
exception when sqlstate 'PT422' then
  return null;
end
$$;
comment on function logic.steps_back(jsonb, jsonb) is 'A document with steps taken back, where they can be.';
