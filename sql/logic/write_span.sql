-- From which seq to which the write reaches that made a change: its changes stand together. A direct writer's stand each for itself.
create or replace function logic.write_span(p_workspace_id uuid, p_seq bigint, out first bigint, out last bigint)
language plpgsql stable
as $$
declare
  v_change core.change;
begin
  select * into v_change from core.change c where c.workspace_id = p_workspace_id and c.seq = p_seq;
  if v_change.transaction_id is null then
    first := p_seq;
    last := p_seq;
    return;
  end if;
  select coalesce(max(c.seq), 0) + 1 into first
  from (
    select o.seq
    from core.change o
    where o.workspace_id = p_workspace_id and o.seq < p_seq
      and (o.actor_id, o.transaction_id) is distinct from (v_change.actor_id, v_change.transaction_id)
    order by o.seq desc
    limit 1
  ) c;
  select coalesce(min(c.seq) - 1, (logic.log_position(p_workspace_id)).seq) into last
  from (
    select o.seq
    from core.change o
    where o.workspace_id = p_workspace_id and o.seq > p_seq
      and (o.actor_id, o.transaction_id) is distinct from (v_change.actor_id, v_change.transaction_id)
    order by o.seq
    limit 1
  ) c;
end
$$;
comment on function logic.write_span(uuid, bigint) is 'The seqs of the write that made a change.';
