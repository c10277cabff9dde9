-- What a role may do has changed: every stream of the workspace looks at its rights again (see member__500_access).
-- Locks: the clock of the workspace.
create or replace function logic.role__500_access() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_change core.change;
begin
  v_change.workspace_id := new.workspace_id;
  v_change.action := 'access';
  v_change.patch := jsonb_build_object('event', 'role-changed', 'role', new.key);
  v_change.seq := logic.change_append(v_change);
  perform set_config('rowcast.access_changed', pg_current_xact_id()::text, true);
  return null;
end
$$;
comment on function logic.role__500_access() is 'Logs a change of what a role may do.';

create or replace trigger role__500_access
  after update on core.role
  for each row
  when (old.read is distinct from new.read or old.edit is distinct from new.edit or old.may is distinct from new.may)
  execute function logic.role__500_access();
