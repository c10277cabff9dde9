-- The transitions of a field that a role may take from a value: [{to, requires?}]. A transition without roles is everybody's, one from * is
-- there whatever the value. Where none leads from null, a field that is not set begins with its default.
create or replace function logic.transitions_open(p_rule jsonb, p_from jsonb, p_role text) returns jsonb
language sql immutable parallel safe
as $$
  select case
    when p_from is null and not exists (
        select from jsonb_array_elements(p_rule -> 'transitions') t(value) where coalesce(t.value -> 'from', 'null') = 'null')
      then jsonb_build_array(jsonb_build_object('to', p_rule -> 'initial'))
    else (
      select coalesce(jsonb_agg(t.value order by t.n), '[]')
      from jsonb_array_elements(p_rule -> 'transitions') with ordinality t(value, n)
      where (nullif(t.value -> 'from', 'null') is not distinct from p_from or (t.value ->> 'from' = '*' and p_from is not null))
        and (coalesce(t.value -> 'roles', 'null') = 'null' or t.value -> 'roles' ? p_role)
        and nullif(t.value -> 'to', 'null') is distinct from p_from)
  end
$$;
comment on function logic.transitions_open(jsonb, jsonb, text) is 'The transitions that a role may take from a value.';
