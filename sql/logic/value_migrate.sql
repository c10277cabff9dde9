-- What a step of a migration makes of a value: its options have other names, or are gone (then it is the default, or not set; of several
-- they are left out), then it is converted. null: it can't be without loss. The null of JSON: it is not set any more.
create or replace function logic.value_migrate(p_step jsonb, p_value jsonb) returns jsonb
language plpgsql immutable parallel safe
as $$
declare
  v_value jsonb := p_value;
  v_unset constant jsonb := coalesce(p_step -> 'default', 'null');
begin
  if p_step ?| '{gone,renames}' then
    if jsonb_typeof(p_value) = 'array' then
      select coalesce(jsonb_agg(coalesce(p_step -> 'renames' -> (e.value #>> '{}'), e.value) order by e.n), '[]') into v_value
      from jsonb_array_elements(p_value) with ordinality e(value, n)
      where not coalesce(p_step -> 'gone' @> e.value, false);
      if v_value = '[]' and p_value <> '[]' then
        return v_unset;
      end if;
    elsif p_step -> 'gone' @> p_value then
      return v_unset;
    else
      v_value := coalesce(p_step -> 'renames' -> (p_value #>> '{}'), p_value);
    end if;
  end if;
  return case when p_step ? 'convert' then logic.value_convert(v_value, p_step -> 'rule' ->> 'type') else v_value end;
end
$$;
comment on function logic.value_migrate(jsonb, jsonb) is 'What a step of a migration makes of a value.';
