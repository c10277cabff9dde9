-- The records right before and right behind a record's place in manual order, itself left out: two ids, null at an end.
-- For definers only: manual order is one for all, whoever sees which records.
create or replace function logic.record_neighbours(p_record core.record) returns uuid[]
language sql stable
as $$
  select array[
    (select r.id
      from core.record r
      where r.workspace_id = p_record.workspace_id and r.collection = p_record.collection
        and (r.position, r.id) < (p_record.position, p_record.id) and r.id <> p_record.id
      order by r.position desc, r.id desc
      limit 1),
    (select r.id
      from core.record r
      where r.workspace_id = p_record.workspace_id and r.collection = p_record.collection
        and (r.position, r.id) > (p_record.position, p_record.id) and r.id <> p_record.id
      order by r.position, r.id
      limit 1)]
$$;
comment on function logic.record_neighbours(core.record) is 'The records next to a place in manual order.';
