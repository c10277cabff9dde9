-- What a migration would do, in words of its definition.
create or replace function logic.migration_changes(p_workspace_id uuid, p_collection text, p_fields jsonb, p_steps jsonb) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'added', (select coalesce(jsonb_agg((r.field).key order by r.n), '[]')
      from logic.fields_read(p_workspace_id, p_collection, p_fields) r where r.source is null),
    'removed', coalesce(jsonb_agg(s.value -> 'from') filter (where not s.value ? 'to'), '[]'),
    'renamed', coalesce(jsonb_agg(jsonb_build_object('from', s.value -> 'from', 'to', s.value -> 'to'))
      filter (where s.value ->> 'from' <> s.value ->> 'to'), '[]'),
    'converted', coalesce(jsonb_agg(jsonb_build_object('key', s.value -> 'to', 'from', s.value -> 'was', 'to', s.value -> 'rule' -> 'type'))
      filter (where s.value ?& '{convert,was}'), '[]'),
    'options', coalesce(jsonb_agg(jsonb_build_object('key', s.value -> 'to', 'renamed', coalesce(s.value -> 'renames', '{}'),
      'removed', coalesce(s.value -> 'gone', '[]'))) filter (where s.value ?| '{renames,gone}'), '[]'),
    'filled', coalesce(jsonb_agg(s.value -> 'to') filter (where s.value ? 'fill'), '[]'))
  from jsonb_array_elements(p_steps) s
$$;
comment on function logic.migration_changes(uuid, text, jsonb, jsonb) is 'What a migration would do.';
