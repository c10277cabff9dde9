-- A delete, also one typed into psql, is a soft delete, as of a record: it is logged, and can be undone. The row goes with its
-- workspace, or 30 days after that.
create or replace function logic.attachment__050_soft_delete() returns trigger
language plpgsql volatile
as $$
begin
  if logic.purging(old.workspace_id) or old.deleted_at < clock_timestamp() - interval '30 days' then
    return old;
  end if;
  update core.attachment a
  set deleted_at = clock_timestamp()
  where a.workspace_id = old.workspace_id and a.id = old.id and a.deleted_at is null;
  return null;
end
$$;
comment on function logic.attachment__050_soft_delete() is 'Turns a delete into a soft delete.';

create or replace trigger attachment__050_soft_delete
  before delete on core.attachment
  for each row execute function logic.attachment__050_soft_delete();
