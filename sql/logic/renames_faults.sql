-- What is wrong with the renamedFrom of fields and options. One that has happened already is as good as none, so that a definition can
-- be sent again.
create or replace function logic.renames_faults(p_workspace_id uuid, p_collection text, p_fields jsonb)
returns table (path text, message text)
language sql stable
as $$
  with fields as (
    select f.n - 1 as i, f.value ->> 'key' as key, f.value ->> 'renamedFrom' as former, f.value
    from jsonb_array_elements(p_fields) with ordinality f(value, n)
  ), names as (
    select format('fields.%s.renamedFrom', f.i) as path, f.key as name, f.former, f.i as place,
      array(select o.key from core.field o where o.workspace_id = p_workspace_id and o.collection = p_collection) as known,
      array(select s.key from fields s where coalesce(s.former, s.key) = s.key) as kept,
      array(select s.former from fields s where s.i < f.i) as taken
    from fields f
    union all
    select format('fields.%s.options.%s.renamedFrom', f.i, o.n - 1), o.value ->> 'value', o.value ->> 'renamedFrom', o.n,
      array(select jsonb_array_elements_text(logic.option_values(k.options))),
      array(select coalesce(s.value ->> 'value', s.value #>> '{}') from jsonb_array_elements(f.value -> 'options') s(value)
        where coalesce(s.value ->> 'renamedFrom', s.value ->> 'value', s.value #>> '{}') = coalesce(s.value ->> 'value', s.value #>> '{}')),
      array(select s.value ->> 'renamedFrom' from jsonb_array_elements(f.value -> 'options') with ordinality s(value, n) where s.n < o.n)
    from fields f
    cross join lateral jsonb_array_elements(case jsonb_typeof(f.value -> 'options') when 'array' then f.value -> 'options' else '[]' end)
      with ordinality o(value, n)
    left join core.field k on k.workspace_id = p_workspace_id and k.collection = p_collection and k.key in (f.former, f.key)
      and (k.key = f.former or not exists (select from core.field x
        where x.workspace_id = p_workspace_id and x.collection = p_collection and x.key = f.former))
  )
  select n.path, case
    when n.former = any (n.taken) then 'Another is renamed from this already.'
    when n.former = any (n.known) then 'This is still in the list itself.'
    else 'There is none of this name.' end
  from names n
  where n.former <> n.name
    and (n.former = any (n.taken)
      or n.former = any (n.known) and n.former = any (n.kept)
      or n.former <> all (n.known) and n.name <> all (n.known))
$$;
comment on function logic.renames_faults(uuid, text, jsonb) is 'What is wrong with the renames of a definition.';
