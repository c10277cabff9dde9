-- The rules of a collection hold its workflow: one look-up tells a write of a record all that it is checked with.
create or replace function logic.collection__100_rules() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if new.workflow is distinct from old.workflow then
    select r.rules, r.defaults, r.required_fields into new.rules, new.defaults, new.required_fields
    from logic.collection_rules(new.workspace_id, new.key, new.workflow) r;
  end if;
  return new;
end
$$;
comment on function logic.collection__100_rules() is 'Makes the rules of a collection anew where its workflow changes.';

create or replace trigger collection__100_rules
  before update of workflow on core.collection
  for each row execute function logic.collection__100_rules();
