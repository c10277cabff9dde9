-- The log speaks in fields, the top-level keys of a document. patch gives each changed field its new value (null: gone),
-- before its old one (null: there was none); documents hold no nulls, so before is the exact inverse of patch.
create or replace function logic.jsonb_changes(p_old jsonb, p_new jsonb, out patch jsonb, out before jsonb)
language plpgsql immutable parallel safe
as $$
begin
  select coalesce(jsonb_object_agg(k.key, p_new -> k.key), '{}'), coalesce(jsonb_object_agg(k.key, p_old -> k.key), '{}')
  into patch, before
  from jsonb_object_keys(p_old || p_new) k(key)
  where p_new -> k.key is distinct from p_old -> k.key;
end
$$;
comment on function logic.jsonb_changes(jsonb, jsonb) is 'The fields in which two documents differ: their new and their old values.';
