-- Roles from JSON: [{key, label, read, edit, may}], each token checked. Raises PT422 invalid_role with errors[].path.
create or replace function logic.roles_read(p_workspace_id uuid, p_roles jsonb) returns setof core.role
language plpgsql stable
as $$
declare
  v_collections constant text := '\*|' || coalesce((
    select string_agg(c.key, '|') || '|' from core.collection c where c.workspace_id = p_workspace_id), '') || '!';
  v_errors jsonb;
begin
  select jsonb_agg(jsonb_build_object('path', format('roles.%s.%s', r.n - 1, f.key), 'message', 'No such right: ' || t.token))
  into v_errors
  from jsonb_array_elements(p_roles) with ordinality r(value, n)
  cross join (values ('read', ''), ('edit', ''), ('may', '(create|move|delete|comment|manage):')) f(key, verb)
  cross join lateral jsonb_array_elements_text(coalesce(r.value -> f.key, '[]')) t(token)
  where t.token !~ ('^' || f.verb || '(' || v_collections || ')(:own|:unassigned)?$') or t.token ~ '^([a-z]+:)?\*:';
  if v_errors is not null then
    raise sqlstate 'PT422' using hint = 'invalid_role', message = 'A role names rights that there are not.',
      detail = jsonb_build_object('errors', v_errors);
  end if;
  return query
    select p_workspace_id, r.value ->> 'key', r.value ->> 'label',
      array(select jsonb_array_elements_text(coalesce(r.value -> 'read', '[]'))),
      array(select jsonb_array_elements_text(coalesce(r.value -> 'edit', '[]'))),
      array(select jsonb_array_elements_text(coalesce(r.value -> 'may', '[]'))),
      r.n::integer
    from jsonb_array_elements(p_roles) with ordinality r(value, n);
end
$$;
comment on function logic.roles_read(uuid, jsonb) is 'Roles from JSON.';
