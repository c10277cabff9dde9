-- The records next to a position in a record's collection, in manual order: at most p_count on either side (the position's own holders
-- count as before it). low and high: the positions next to these, null at either end.
create or replace function logic.positions_around(
  p_record core.record, p_position text, p_count integer, out ids uuid[], out low text, out high text)
language sql stable
as $$
  with before as (
    select r.id, r.position, row_number() over (order by r.position desc, r.id desc) as n
    from core.record r
    where r.workspace_id = p_record.workspace_id and r.collection = p_record.collection
      and r.position <= p_position
    order by r.position desc, r.id desc
    limit p_count + 1
  ), after as (
    select r.id, r.position, row_number() over (order by r.position, r.id) as n
    from core.record r
    where r.workspace_id = p_record.workspace_id and r.collection = p_record.collection
      and r.position > p_position
    order by r.position, r.id
    limit p_count + 1
  )
  select array(
      select a.id
      from (
        select b.id, -b.n as n from before b where b.n <= p_count
        union all
        select f.id, f.n from after f where f.n <= p_count
      ) a
      order by a.n),
    (select b.position from before b where b.n > p_count),
    (select f.position from after f where f.n > p_count)
$$;
comment on function logic.positions_around(core.record, text, integer) is 'The records around a position, and the positions next to them.';
