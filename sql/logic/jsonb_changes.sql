-- The log speaks in fields, the top-level keys of a document. patch gives each changed field its new value (null: gone),
-- before its old one (null: there was none); documents hold no nulls, so before is the exact inverse of patch.
-- On the hot path, where documents mostly have the same keys: what both hold alike is taken away from each, which costs a good third less than
-- putting together what differs. Where a field came or went, what is left is put together, with its nulls.
create or replace function logic.jsonb_changes(p_old jsonb, p_new jsonb, out patch jsonb, out before jsonb)
language plpgsql immutable parallel safe
as $$
declare
  v_same constant text[] := array(
    select k.key from (select jsonb_object_keys(p_new) as key) k where p_new -> k.key = p_old -> k.key);
begin
  patch := p_new - v_same;
  before := p_old - v_same;
  if patch || before <> before or before || patch <> patch then
    select json_object_agg(k.key, p_new -> k.key)::jsonb, json_object_agg(k.key, p_old -> k.key)::jsonb
    into patch, before
    from (select jsonb_object_keys(patch || before) as key) k;
  end if;
end
$$;
comment on function logic.jsonb_changes(jsonb, jsonb) is 'The fields in which two documents differ: their new and their old values.';
