-- The log speaks in fields, the top-level keys of a document. patch gives each changed field its new value (null: gone),
-- before its old one (null: there was none); documents hold no nulls, so before is the exact inverse of patch.
-- On the hot path: a set in the select list and an aggregate of text cost half of jsonb_object_agg over a function scan.
create or replace function logic.jsonb_changes(p_old jsonb, p_new jsonb, out patch jsonb, out before jsonb)
language plpgsql immutable parallel safe
as $$
begin
  select coalesce(json_object_agg(k.key, p_new -> k.key)::jsonb, '{}'), coalesce(json_object_agg(k.key, p_old -> k.key)::jsonb, '{}')
  into patch, before
  from (select jsonb_object_keys(p_old || p_new) as key) k
  where p_new -> k.key is distinct from p_old -> k.key;
end
$$;
comment on function logic.jsonb_changes(jsonb, jsonb) is 'The fields in which two documents differ: their new and their old values.';
