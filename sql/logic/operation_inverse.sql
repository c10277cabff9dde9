-- The operation that takes back a step or a list operation on this document by its meaning; null where there is nothing to take back,
-- and for operations that say a value: those are taken back by the old one.
create or replace function logic.operation_inverse(p_data jsonb, p_operation jsonb) returns jsonb
language plpgsql immutable parallel safe
as $$
declare
  v_path constant text[] := logic.operation_path(p_operation);
  v_list constant jsonb := coalesce(p_data #> v_path, '[]');
  v_place integer;
begin
  if p_operation ->> 'type' = 'increment' then
    return jsonb_build_object('type', 'increment', 'path', v_path, 'by', - (p_operation -> 'by')::numeric);
  end if;
  if p_operation ->> 'type' not in ('list-insert', 'list-remove') then
    return null;
  end if;
  select e.n - 1 into v_place
  from jsonb_array_elements(v_list) with ordinality e(value, n)
  where e.value = p_operation -> 'value'
  limit 1;
  if v_place is not null then
    return jsonb_build_object('type', 'list-insert', 'path', v_path, 'value', p_operation -> 'value', 'index', v_place);
  end if;
  return case when p_operation ->> 'type' = 'list-insert'
    then jsonb_build_object('type', 'list-remove', 'path', v_path, 'value', p_operation -> 'value') end;
end
$$;
comment on function logic.operation_inverse(jsonb, jsonb) is 'What takes an operation back by its meaning.';
