-- A delete, also one typed into psql, is a soft delete: replies keep their place. But with its whole workspace it goes.
create or replace function logic.comment__050_soft_delete() returns trigger
language plpgsql volatile
as $$
begin
  if logic.purging(old.workspace_id) then
    return old;
  end if;
  update core.comment c
  set deleted_at = clock_timestamp()
  where c.workspace_id = old.workspace_id and c.id = old.id and c.deleted_at is null;
  return null;
end
$$;
comment on function logic.comment__050_soft_delete() is 'Turns a delete into a soft delete.';

create or replace trigger comment__050_soft_delete
  before delete on core.comment
  for each row execute function logic.comment__050_soft_delete();
