-- What is wrong with the fields of a definition, all at once: a row for each fault, with its place.
create or replace function logic.fields_faults(p_workspace_id uuid, p_collection text, p_fields jsonb)
returns table (path text, message text)
language sql stable
as $$
  with read as materialized (
    select r.n - 1 as i, r.source, r.given, (r.field).*, row_number() over (partition by (r.field).key order by r.n) as nth, r.field
    from logic.fields_read(p_workspace_id, p_collection, p_fields) r
  )
  select 'fields', 'A collection may have 100 fields at most.'
  where jsonb_array_length(p_fields) > 100
  union all
  select format('fields.%s.key', r.i), 'A field of this key stands above.' from read r where r.nth > 1
  union all
  select format('fields.%s.key', r.i), case when logic.is_system_field(r.key) then 'Every record has this beside its fields.'
    else 'A key is a letter, and then letters, digits and _, 64 in all.' end
  from read r
  where (r.key !~ '^[A-Za-z][A-Za-z0-9_]{0,63}$' or logic.is_system_field(r.key)) and r.source is distinct from r.key
  union all
  select format('fields.%s.type', r.i), 'There is no such type. There are: ' || array_to_string(logic.field_types(), ', ') || '.'
  from read r
  where r.type <> all (logic.field_types())
  union all
  select format('fields.%s.target', r.i), case when r.type = 'reference' then 'There is no such collection in this workspace.'
    else 'Only a reference has a target.' end
  from read r
  where r.target is not null and (r.type <> 'reference' or r.target <> p_collection and not exists (
    select from core.collection c where c.workspace_id = p_workspace_id and c.key = r.target))
  union all
  select format('fields.%s.onDelete', r.i), 'Is one of refuse, unset and delete, and of a reference only.'
  from read r
  where r.on_delete not in ('refuse', 'unset', 'delete') or r.on_delete <> 'unset' and r.type <> 'reference'
  union all
  select format('fields.%s.default', r.i), 'The default ' || case when r.options <> '[]' then 'must be of the options.' else v.violation end
  from read r
  cross join lateral logic.field_violation(p_workspace_id, logic.field_rule(r.field), r.default_value) v(violation)
  where r.default_value is not null and r.type = any (logic.field_types()) and v.violation is not null
  union all
  select * from logic.options_faults(p_fields)
  union all
  select * from logic.renames_faults(p_workspace_id, p_collection, p_fields)
$$;
comment on function logic.fields_faults(uuid, text, jsonb) is 'What is wrong with the fields of a definition.';
