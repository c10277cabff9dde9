-- The changed fields of an entry of the activity by their keys: {"<key>": {from, to}}.
create or replace function logic.activity_changes(p_activity jsonb) returns jsonb
language sql immutable parallel safe
as $$
  select coalesce(jsonb_object_agg(c.value ->> 'key', c.value - '{key,label}'::text[]), '{}')
  from jsonb_array_elements(p_activity -> 'changes') c
$$;
comment on function logic.activity_changes(jsonb) is 'The changed fields of an entry of the activity, by key.';
