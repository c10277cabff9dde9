-- A workspace that is renamed or speaks another language, is deleted or restored, whoever does it: logged; its streams hear of it, or end.
-- Locks: the clock of the workspace.
create or replace function logic.workspace__500_log() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform logic.access_append(
    new.workspace_id,
    case
      when new.deleted_at is not null and old.deleted_at is null then 'workspace-deleted'
      when new.deleted_at is null and old.deleted_at is not null then 'workspace-restored'
      else 'workspace-updated'
    end,
    jsonb_build_object('name', new.name, 'language', new.language));
  return null;
end
$$;
comment on function logic.workspace__500_log() is 'Logs a change of a workspace.';

create or replace trigger workspace__500_log
  after update on core.workspace
  for each row
  when (old.name is distinct from new.name or old.language <> new.language or (old.deleted_at is null) <> (new.deleted_at is null))
  execute function logic.workspace__500_log();
