-- Whether somebody else has made records refer to a record behind a change of it, which its deletion would delete or change.
-- For definers only: it reads the log.
create or replace function logic.record_used_by_others(p_change core.change, p_record core.record) returns boolean
language sql stable
as $$
  select exists (
    select from logic.record_referrers(p_record) f
    join core.change c on c.record_id = f.id
    where f.does in ('delete', 'unset') and c.workspace_id = p_change.workspace_id and c.seq > p_change.seq
      and c.actor_id is distinct from p_change.actor_id and logic.change_is_of_document(c))
$$;
comment on function logic.record_used_by_others(core.change, core.record) is 'Whether records of somebody else refer to a record.';
