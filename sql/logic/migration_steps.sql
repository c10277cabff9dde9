-- What a new list of fields asks of the documents of a collection, a step for each field that they have to follow (see value_migrate):
-- {from, to?, rule?, renames?, gone?, default?, convert?, check?, required?, fill?}. Without `to` the field is removed.
-- A field that is new may stand in documents already, as a key that no field named: its values have to fit too.
create or replace function logic.migration_steps(p_workspace_id uuid, p_collection text, p_fields jsonb) returns jsonb
language sql stable
as $$
  with pairs as (
    select o.key as "from", (r.field).key as "to", o, r.field as f,
      coalesce(o.type in ('select', 'multi_select') and (r.field).type in ('select', 'multi_select'), false) as both_options,
      (select coalesce(jsonb_object_agg(g.value ->> 'renamedFrom', g.value ->> 'value'), '{}')
        from jsonb_array_elements(case jsonb_typeof(r.given -> 'options') when 'array' then r.given -> 'options' else '[]' end) g(value)
        where g.value ->> 'renamedFrom' <> g.value ->> 'value' and logic.option_values(o.options) ? (g.value ->> 'renamedFrom')) as renames
    from (select * from core.field f where f.workspace_id = p_workspace_id and f.collection = p_collection) o
    full join logic.fields_read(p_workspace_id, p_collection, p_fields) r on r.source = o.key
  ), steps as (
    select p.*, coalesce((p.f).required and not coalesce((p.o).required, false), false) as newly_required,
      (p.o).type is distinct from (p.f).type as converted,
      case when p.both_options and (p.f).options <> '[]' then (
        select coalesce(jsonb_agg(v.value), '[]')
        from jsonb_array_elements_text(logic.option_values((p.o).options)) v(value)
        where not p.renames ? v.value and not logic.option_values((p.f).options) ? v.value) else '[]' end as gone,
      (p.f).options <> '[]' and coalesce((p.o).options = '[]', true)
        or (p.f).target is not null and (p.o).target is distinct from (p.f).target as narrowed
    from pairs p
  )
  select coalesce(jsonb_agg(case
      when s."to" is null then jsonb_build_object('from', s."from")
      else jsonb_strip_nulls(jsonb_build_object(
        'from', coalesce(s."from", s."to"), 'to', s."to", 'was', (s.o).type, 'rule', logic.field_rule(s.f),
        'renames', case when s.both_options then nullif(s.renames, '{}') end, 'gone', nullif(s.gone, '[]'), 'default', (s.f).default_value,
        'convert', case when s.converted then true end, 'check', case when s.converted or s.narrowed then true end,
        'required', case when s.newly_required then true end,
        'fill', case when s.newly_required then (s.f).default_value end))
    end order by coalesce((s.f).position, 0), s."from"), '[]')
  from steps s
  where s."to" is null or s."from" is distinct from s."to" or s.converted or s.narrowed or s.newly_required or s.gone <> '[]'
    or (s.both_options and s.renames <> '{}')
$$;
comment on function logic.migration_steps(uuid, text, jsonb) is 'What a new list of fields asks of the documents of a collection.';
