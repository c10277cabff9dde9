-- A delete, also one typed into psql, is a soft delete: the row stays for undo, for the log, and so that its number is never
-- used again. But with its whole workspace it goes.
create or replace function logic.record__050_soft_delete() returns trigger
language plpgsql volatile
as $$
begin
  if logic.purging(old.workspace_id) then
    return old;
  end if;
  update core.record r
  set deleted_at = clock_timestamp()
  where r.workspace_id = old.workspace_id and r.id = old.id and r.deleted_at is null;
  return null;
end
$$;
comment on function logic.record__050_soft_delete() is 'Turns a delete into a soft delete.';

create or replace trigger record__050_soft_delete
  before delete on core.record
  for each row execute function logic.record__050_soft_delete();
