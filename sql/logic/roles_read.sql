-- Roles from JSON: [{key, label, read, edit, may}], each key and token checked. Raises PT422 invalid_role with errors[].path.
create or replace function logic.roles_read(p_workspace_id uuid, p_roles jsonb) returns setof core.role
language plpgsql stable
as $$
declare
  v_collections constant text := '\*' || coalesce((
    select string_agg('|' || c.key, '') from core.collection c where c.workspace_id = p_workspace_id), '');
  v_errors jsonb;
begin
  select jsonb_agg(jsonb_build_object('path', e.path, 'message', e.message) order by e.path) into v_errors
  from (
    select format('roles.%s.%s.%s', r.n - 1, f.key, t.n - 1) as path, 'No such right: ' || t.token as message
    from jsonb_array_elements(p_roles) with ordinality r(value, n)
    cross join (values ('read', ''), ('edit', ''), ('may', '(create|move|delete|comment|manage):')) f(key, verb)
    cross join lateral jsonb_array_elements_text(coalesce(r.value -> f.key, '[]')) with ordinality t(token, n)
    where t.token !~ ('^' || f.verb || '(' || v_collections || ')(:own|:unassigned)?$') or t.token ~ '^([a-z]+:)?\*:'
    union all
    select format('roles.%s.key', r.n - 1), case when r.nth > 1 then 'This role stands twice.' else 'A key is a-z, 0-9 and _, a letter first.' end
    from (
      select k.n, k.value ->> 'key' as key, row_number() over (partition by k.value ->> 'key' order by k.n) as nth
      from jsonb_array_elements(p_roles) with ordinality k(value, n)
    ) r
    where r.nth > 1 or r.key !~ '^[a-z][a-z0-9_]{0,39}$'
  ) e;
  if v_errors is not null then
    raise sqlstate 'PT422' using hint = 'invalid_role', message = 'A role names rights that there are not, stands twice, or has no proper key.',
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
