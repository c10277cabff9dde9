-- Who a record concerns. A user field holds an account id, or an array of them; other text in it concerns nobody.
create or replace function logic.record_audience(p_created_by uuid, p_user_fields text[], p_data jsonb) returns uuid[]
language plpgsql immutable parallel safe
as $$
declare
  v_assigned uuid[];
begin
  if p_user_fields <> '{}' and p_data ?| p_user_fields then
    select array_agg(distinct a.value::uuid order by a.value::uuid) into v_assigned
    from unnest(p_user_fields) f(key)
    cross join lateral jsonb_array_elements_text(
      case jsonb_typeof(p_data -> f.key)
        when 'array' then p_data -> f.key
        when 'string' then jsonb_build_array(p_data -> f.key)
        else '[]'
      end) a(value)
    where a.value ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$';
  end if;
  return array_remove(
    array[p_created_by] || coalesce(v_assigned, array['00000000-0000-0000-0000-000000000000'::uuid]), null);
end
$$;
comment on function logic.record_audience(uuid, text[], jsonb) is 'The creator and the assignees of a record; the nil uuid where nobody is assigned.';
