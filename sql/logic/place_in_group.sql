-- Between which records a place lies that is counted from 0 among the live records of a collection with this value of a field, in
-- manual order, the moved record itself left out; null at either end, and both null where the record stands there already.
-- Under the clock of the workspace nobody else moves any of them meanwhile.
create or replace function logic.place_in_group(
  p_record core.record, p_field text, p_value jsonb, p_place integer, out before text, out after text)
language plpgsql stable
as $$
declare
  v_siblings constant uuid[] := array(
    select r.id
    from core.record r
    where r.workspace_id = p_record.workspace_id and r.collection = p_record.collection and r.deleted_at is null
      and r.data -> p_field is not distinct from p_value
    order by r.position, r.id);
  v_others constant uuid[] := array_remove(v_siblings, p_record.id);
  v_place constant integer := least(coalesce(p_place, cardinality(v_others)), cardinality(v_others));
begin
  if v_siblings[v_place + 1] is distinct from p_record.id then
    before := v_others[v_place + 1];
    after := v_others[v_place];
  end if;
end
$$;
comment on function logic.place_in_group(core.record, text, jsonb, integer) is 'The neighbours of a place that is counted within a group.';
