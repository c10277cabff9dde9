-- A document with some fields as another has them: with its values, and without those that it does not have.
create or replace function logic.jsonb_with_fields(p_data jsonb, p_other jsonb, p_keys text[]) returns jsonb
language sql immutable parallel safe
as $$
  select p_data - p_keys || coalesce((
    select jsonb_object_agg(k.key, p_other -> k.key) from unnest(p_keys) k(key) where p_other ? k.key), '{}')
$$;
comment on function logic.jsonb_with_fields(jsonb, jsonb, text[]) is 'A document with some fields of another.';
