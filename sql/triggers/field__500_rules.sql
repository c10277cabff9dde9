-- A collection remembers its fields as the rules that its records are checked with, and a collection and its records which fields hold
-- users, so that a write finds both without a look-up. Where that changes whom a record concerns, it is a change like any other:
-- versioned, logged, streamed. Records are not checked again: a rule counts for what is written from then on.
-- A migration does all of it itself, once (see fields_migrate).
create or replace function logic.field__500_rules() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_field constant core.field := coalesce(new, old);
begin
  if logic.exempt('rowcast.migrating', v_field.workspace_id) then
    return null;
  end if;
  perform logic.collection_remember(v_field.workspace_id, v_field.collection);
  update core.record r
  set user_fields = c.user_fields
  from core.collection c
  where c.workspace_id = v_field.workspace_id and c.key = v_field.collection
    and r.workspace_id = c.workspace_id and r.collection = c.key and r.user_fields <> c.user_fields;
  return null;
end
$$;
comment on function logic.field__500_rules() is 'Keeps the rules and the list of user fields of a collection.';

create or replace trigger field__500_rules
  after insert or update or delete on core.field
  for each row execute function logic.field__500_rules();
