-- Trims the changes of a workspace between its floor and p_to. Of each record's last change a baseline stays: its seq, version, time, actor
-- and audience, by which the record is found as it was at any later seq; the earlier baseline goes. Of members that left it stays that
-- they were members (see members_ever). Nothing else does.
create or replace function logic.baselines_make(p_workspace_id uuid, p_floor bigint, p_to bigint) returns void
language plpgsql volatile
as $$
declare
  v_kept constant bigint[] := array(
    select max(c.seq)
    from core.change c
    where c.workspace_id = p_workspace_id and c.seq > p_floor and c.seq <= p_to
      and (logic.change_is_of_document(c) or c.action = 'access' and c.patch ->> 'event' = 'member-left')
    group by c.record_id, case when c.action = 'access' then c.patch ->> 'accountId' end);
begin
  delete from core.change c
  using core.change k
  where k.workspace_id = p_workspace_id and k.seq = any (v_kept)
    and c.workspace_id = p_workspace_id and c.record_id = k.record_id and c.seq <= p_floor
    and (k.action <> 'access' or c.patch ->> 'accountId' = k.patch ->> 'accountId');
  delete from core.change c
  where c.workspace_id = p_workspace_id and c.seq > p_floor and c.seq <= p_to and c.seq <> all (v_kept);
  update core.change c
  set action = 'baseline',
    patch = case when c.action = 'access' then jsonb_build_object('event', 'member-left', 'accountId', c.patch -> 'accountId') end,
    transaction_id = null, before = null, inverse = null, position = null, position_before = null, neighbours_before = null,
    audience_before = null, document = null
  where c.workspace_id = p_workspace_id and c.seq = any (v_kept);
end
$$;
comment on function logic.baselines_make(uuid, bigint, bigint) is 'Trims a piece of a log to baselines.';
