-- Keeps the audience of a record: its creator, and who stands in its user fields; the nil uuid where nobody stands there.
create or replace function logic.record__300_audience() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_fields text[];
begin
  select c.user_fields into v_user_fields
  from core.collection c
  where c.workspace_id = new.workspace_id and c.key = new.collection;
  new.audience := logic.record_audience(new.created_by, v_user_fields, new.data);
  return new;
end
$$;
comment on function logic.record__300_audience() is 'Derives the audience of a record from its creator and its user fields.';

create or replace trigger record__300_audience_insert
  before insert on core.record
  for each row execute function logic.record__300_audience();

create or replace trigger record__300_audience_update
  before update on core.record
  for each row
  when (old.data is distinct from new.data or old.created_by is distinct from new.created_by
    or old.audience is distinct from new.audience)
  execute function logic.record__300_audience();
