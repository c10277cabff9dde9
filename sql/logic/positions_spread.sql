-- Makes room in manual order around a place in a record's collection where positions have grown long, or are the same: the records
-- around it, deleted ones too, get short positions, evenly spread between those of their neighbours, in the order that they have. Each
-- is a move like any other: versioned, logged, streamed; but of no transaction: it changes no order, and undo neither takes it back nor
-- minds it (see position_back). Takes in as many records as it needs to reach short neighbours, a few at best,
-- at most 512 on either side. Answers whether it did; not, where somebody else holds one of them: then it is for a later move.
-- Definer: manual order is one for all, whoever sees which records.
-- Locks: records, skipping what others hold; the clock is held already.
create or replace function logic.positions_spread(p_record core.record, p_position text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_ids uuid[];
  v_low text;
  v_high text;
  v_locked integer;
  v_transaction constant text := current_setting('rowcast.transaction', true);
begin
  if p_record.workspace_id is distinct from core.entered_workspace() then
    perform logic.raise_refusal('unknown_workspace');
  end if;
  for v_step in 0 .. 3 loop
    select w.ids, w.low, w.high into v_ids, v_low, v_high
    from logic.positions_around(p_record, p_position, 8 << (2 * v_step)) w;
    exit when logic.position_has_room(v_low, v_high);
  end loop;
  if not logic.position_has_room(v_low, v_high) then
    return false;
  end if;
  perform from core.record r
  where r.workspace_id = p_record.workspace_id and r.id = any (v_ids)
  order by r.id
  for update skip locked;
  get diagnostics v_locked = row_count;
  if v_locked < cardinality(v_ids) then
    return false;
  end if;
  perform set_config('rowcast.transaction', '', true);
  update core.record r
  set position = n.position
  from unnest(v_ids, logic.positions_between(v_low, v_high, cardinality(v_ids))) n(id, position)
  where r.workspace_id = p_record.workspace_id and r.id = n.id;
  perform set_config('rowcast.transaction', coalesce(v_transaction, ''), true);
  return true;
end
$$;
comment on function logic.positions_spread(core.record, text) is 'Gives the records around a place short positions again.';
