-- Takes the clocks of the workspaces of a batch, all in one order, and answers which it got.
-- Locks: clock rows, skipping what others hold; with p_wait_ms (one workspace only) waiting so long at most (55P03);
-- whatever is waited for after that is waited for under the lock, and so 50 ms at most.
create or replace function logic.clocks_lock(p_workspaces uuid[], p_wait_ms integer) returns uuid[]
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if p_wait_ms > 0 then
    perform set_config('lock_timeout', p_wait_ms::text, true);
    perform 1 from core.clock c where c.workspace_id = any (p_workspaces) order by c.workspace_id for update;
    perform set_config('lock_timeout', '50ms', true);
    return p_workspaces;
  end if;
  return array(
    select c.workspace_id
    from core.clock c
    where c.workspace_id = any (p_workspaces)
    order by c.workspace_id
    for update skip locked);
end
$$;
comment on function logic.clocks_lock(uuid[], integer) is 'Locks clocks in order, without waiting or waiting for one.';
