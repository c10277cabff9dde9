-- An account of the workspace, past members among them, or an array of such: what record_audience takes for assignees.
create or replace function logic.user_violation(p_workspace_id uuid, p_value jsonb) returns text
language plpgsql stable
as $$
declare
  v_ids constant text[] := case jsonb_typeof(p_value)
    when 'string' then array[p_value #>> '{}']
    when 'array' then array(select e.value from jsonb_array_elements_text(p_value) e(value))
  end;
begin
  if v_ids is null or jsonb_path_exists(p_value, 'lax $[*] ? (@.type() != "string")')
      or exists (select from unnest(v_ids) i(id) where not logic.is_uuid(i.id)) then
    return 'must be the id of an account, or an array of them.';
  end if;
  if not logic.members_ever(p_workspace_id, v_ids::uuid[]) then
    return 'must name accounts that are, or were, members of this workspace.';
  end if;
  return null;
end
$$;
comment on function logic.user_violation(uuid, jsonb) is 'What is wrong with a value for a user field; null: it fits.';
