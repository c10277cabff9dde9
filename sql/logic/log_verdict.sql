-- Whether a reader that stands at a seq with a mark can go on from there: null, or why it can't: `epoch` (the workspace was
-- restored), `expired` (what follows is trimmed away, or the change is, missing, or another one). A null mark (a bare ?since=) is
-- only checked for its range; a null epoch is not checked.
create or replace function logic.log_verdict(p_workspace_id uuid, p_epoch text, p_seq bigint, p_mark text) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_epoch uuid;
  v_floor bigint;
  v_mark text;
begin
  select w.epoch, k.floor into v_epoch, v_floor
  from core.workspace w
  join core.clock k on k.workspace_id = w.workspace_id
  where w.workspace_id = p_workspace_id;
  if not starts_with(v_epoch::text, p_epoch) then
    return 'epoch';
  end if;
  if p_seq < v_floor then
    return 'expired';
  end if;
  select logic.change_mark(c) into v_mark
  from core.change c
  where c.workspace_id = p_workspace_id and c.seq = p_seq;
  if v_mark is null then
    return case when p_seq is distinct from v_floor or p_mark <> '' then 'expired' end;
  end if;
  return case when p_mark <> v_mark then 'expired' end;
end
$$;
comment on function logic.log_verdict(uuid, text, bigint, text) is 'Why a cursor can not be continued; null where it can.';
