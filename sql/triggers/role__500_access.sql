-- What a role may do has changed: every stream of the workspace looks at its rights again (see member__500_access). The roles that a
-- workspace is made with change nobody's rights: it has no members yet.
-- Locks: the clock of the workspace.
create or replace function logic.role__500_access() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_role constant core.role := coalesce(new, old);
begin
  if not logic.purging(v_role.workspace_id)
      and (tg_op <> 'INSERT' or exists (select from core.member m where m.workspace_id = v_role.workspace_id)) then
    perform logic.access_append(v_role.workspace_id,
      case tg_op when 'INSERT' then 'role-created' when 'UPDATE' then 'role-changed' else 'role-removed' end,
      jsonb_build_object('role', v_role.key));
  end if;
  return null;
end
$$;
comment on function logic.role__500_access() is 'Logs a change of what a role may do.';

create or replace trigger role__500_access
  after update on core.role
  for each row
  when (old.read is distinct from new.read or old.edit is distinct from new.edit or old.may is distinct from new.may)
  execute function logic.role__500_access();

create or replace trigger role__500_access_set
  after insert or delete on core.role
  for each row execute function logic.role__500_access();
