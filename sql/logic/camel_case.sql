-- p_base_version is called baseVersion in JSON.
create or replace function logic.camel_case(p_parameter text) returns text
language sql immutable parallel safe
as $$
  select lower(left(n.name, 1)) || substr(n.name, 2)
  from (select replace(initcap(replace(substr(p_parameter, 3), '_', ' ')), ' ', '') as name) n
$$;
comment on function logic.camel_case(text) is 'The JSON name of a parameter.';
