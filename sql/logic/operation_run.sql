-- One operation on a draft: its document, the fields whose value was said, and the operations that take its steps back, the last one first.
-- `revert`, which only undo makes, gives a field its old value; the steps that it stands for are in `operations`, where there are any.
-- Raises as operation_apply.
create or replace function logic.operation_run(
  p_operation jsonb, inout data jsonb, inout claims jsonb, out inverse jsonb)
language plpgsql volatile
as $$
declare
  v_key constant text := (logic.operation_path(p_operation))[1];
  v_steps constant jsonb := case when p_operation ->> 'type' = 'revert' then p_operation -> 'operations' else jsonb_build_array(p_operation) end;
  v_stepped jsonb := data;
  v_next jsonb;
  v_step jsonb;
  v_back jsonb;
  v_backs jsonb[] := '{}';
begin
  for v_step in select s.value from jsonb_array_elements(v_steps) with ordinality s(value, n) order by s.n loop
    v_next := logic.operation_apply(v_stepped, v_step);
    v_back := logic.operation_inverse(v_stepped, v_step);
    if v_back is not null then
      v_backs := v_backs || v_back;
    end if;
    claims := claims || to_jsonb(logic.operation_claims(v_step));
    v_stepped := v_next;
  end loop;
  if v_backs <> '{}' then
    select jsonb_agg(b.value order by b.n desc) into inverse from unnest(v_backs) with ordinality b(value, n);
  end if;
  if p_operation ->> 'type' = 'revert' then
    v_stepped := logic.jsonb_put(data, array[v_key], p_operation -> 'value');
    claims := claims || case when v_steps = '[]' then jsonb_build_array(v_key) else '[]' end;
  end if;
  data := v_stepped;
end
$$;
comment on function logic.operation_run(jsonb, jsonb, jsonb) is 'Runs an operation on a draft.';
