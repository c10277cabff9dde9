-- Whether anybody but an account has moved a record behind a seq. Who only made room (see positions_spread: of no transaction) has moved nothing.
-- For definers only: it reads the log.
create or replace function logic.record_moved_by_others(
  p_workspace_id uuid, p_record_id uuid, p_seq bigint, p_account_id uuid) returns boolean
language sql stable
as $$
  select exists (
    select from core.change c
    where c.workspace_id = p_workspace_id and c.record_id = p_record_id and c.seq > p_seq and c.position_before is not null
      and c.actor_id is distinct from p_account_id and (c.transaction_id is not null or c.actor_id is null))
$$;
comment on function logic.record_moved_by_others(uuid, uuid, bigint, uuid) is 'Whether somebody else has moved a record since.';
