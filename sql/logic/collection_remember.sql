-- A collection remembers its fields as the rules that its records are checked with, and which of them hold users.
create or replace function logic.collection_remember(p_workspace_id uuid, p_collection text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update core.collection c
  set (rules, defaults, required_fields) = (
      select r.rules, r.defaults, r.required_fields from logic.collection_rules(c.workspace_id, c.key, c.workflow) r),
    user_fields = array(
      select f.key
      from core.field f
      where f.workspace_id = c.workspace_id and f.collection = c.key and f.type = 'user'
      order by f.key)
  where c.workspace_id = p_workspace_id and c.key = p_collection;
end
$$;
comment on function logic.collection_remember(uuid, text) is 'Makes the rules and the list of user fields of a collection anew.';
