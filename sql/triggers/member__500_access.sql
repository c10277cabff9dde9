-- Who may see what has changed: logged, so that every stream of the workspace looks at its rights again, in order with the
-- changes around it. What the batch at hand carries of the old rights is dropped.
-- Locks: the clock of the workspace.
create or replace function logic.member__500_access() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_member constant core.member := coalesce(new, old);
begin
  if not logic.purging(v_member.workspace_id) then
    perform logic.access_append(
      v_member.workspace_id,
      case tg_op when 'INSERT' then 'member-joined' when 'UPDATE' then 'member-changed' else 'member-left' end,
      jsonb_build_object('accountId', v_member.account_id, 'role', v_member.role));
  end if;
  return null;
end
$$;
comment on function logic.member__500_access() is 'Logs who joins, changes role or leaves.';

create or replace trigger member__500_access
  after insert or delete or update of role on core.member
  for each row execute function logic.member__500_access();
