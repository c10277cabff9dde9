-- Every workspace has its clock from the start; a missing one is an error wherever it is looked for.
create or replace function logic.workspace__500_clock() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into core.clock (workspace_id) values (new.workspace_id);
  return null;
end
$$;
comment on function logic.workspace__500_clock() is 'Gives a new workspace its clock.';

create or replace trigger workspace__500_clock
  after insert on core.workspace
  for each row execute function logic.workspace__500_clock();
