-- The fields that a change changed, in their order: [{key, label, from, to, type, said, fromSaid, toSaid, step}]. `said` is how a
-- sentence names the field, fromSaid and toSaid a value of a select; step: records move along it, which are the fields of the
-- collection's workflow, or its first select. Who could not read the record before is not told what stood there.
create or replace function logic.activity_fields(p_change core.change, p_read_before boolean) returns jsonb
language sql stable
as $$
  select coalesce(jsonb_agg(
    jsonb_build_object(
      'key', x.key,
      'label', coalesce(f.label, x.key),
      'from', logic.activity_value(p_change.workspace_id, f.type, x.before),
      'to', logic.activity_value(p_change.workspace_id, f.type, x.after),
      'type', f.type,
      'said', case when f.label is null then x.key when f.label ~ '^.[[:upper:]]' then f.label
        else lower(left(f.label, 1)) || substr(f.label, 2) end,
      'fromSaid', logic.option_label(f.options, x.before),
      'toSaid', logic.option_label(f.options, x.after),
      'step', coalesce(f.type = 'select' and (
        c.workflow @> jsonb_build_array(jsonb_build_object('field', x.key))
        or not exists (
          select from core.field g
          where g.workspace_id = f.workspace_id and g.collection = f.collection and g.type = 'select'
            and (g.position, g.key) < (f.position, f.key))), false))
    order by f.position nulls last, x.key), '[]')
  from (
    select p.key, nullif(p.value, 'null') as after,
      case when p_read_before then nullif(p_change.before -> p.key, 'null') end as before
    from jsonb_each(p_change.patch) p
  ) x
  left join core.field f on f.workspace_id = p_change.workspace_id and f.collection = p_change.collection and f.key = x.key
  left join core.collection c on c.workspace_id = p_change.workspace_id and c.key = p_change.collection
$$;
comment on function logic.activity_fields(core.change, boolean) is 'The fields that a change changed, for the activity.';
