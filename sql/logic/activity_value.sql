-- A field's value as the activity shows it: members by their names, what is long cut. An id of who never was a member stays an id.
create or replace function logic.activity_value(p_workspace_id uuid, p_type text, p_value jsonb) returns jsonb
language sql stable
as $$
  select case
    when p_value is null then 'null'
    when p_type = 'user' and jsonb_typeof(p_value) = 'array' then (
      select coalesce(jsonb_agg(logic.activity_value(p_workspace_id, p_type, v.value) order by v.n), '[]')
      from jsonb_array_elements(p_value) with ordinality v(value, n))
    when p_type = 'user' and logic.is_uuid(p_value #>> '{}') then coalesce((
      select to_jsonb(a.name)
      from core.account a
      where a.id = (p_value #>> '{}')::uuid and logic.members_ever(p_workspace_id, array[a.id])), p_value)
    when length(p_value::text) > 1000 then to_jsonb(left(p_value #>> '{}', 500) || '…')
    else p_value
  end
$$;
comment on function logic.activity_value(uuid, text, jsonb) is 'A value as the activity shows it.';
