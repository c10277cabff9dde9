-- The rows of a chunk whose transaction has not taken effect yet; of rows that share one, the first. Where all are new, which
-- is usual, they are passed on as they are.
create or replace function logic.import_new_rows(p_workspace_id uuid, p_rows jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_ids constant uuid[] := array(
    select (r.value ->> 'transactionId')::uuid
    from jsonb_array_elements(p_rows) with ordinality r(value, n)
    order by r.n);
  v_known constant uuid[] := array(
    select t.id
    from core.transaction t
    where t.workspace_id = p_workspace_id and t.actor_id = core.entered_actor() and t.id = any (v_ids));
begin
  if v_known = '{}' and (select count(distinct i.id) = cardinality(v_ids) from unnest(v_ids) i(id)) then
    return p_rows;
  end if;
  return (
    select coalesce(jsonb_agg(p_rows -> x.place order by x.place), '[]')
    from (
      select min(i.n)::integer - 1 as place
      from unnest(v_ids) with ordinality i(id, n)
      where i.id <> all (v_known)
      group by i.id
    ) x);
end
$$;
comment on function logic.import_new_rows(uuid, jsonb) is 'The rows of an import that are not imported yet.';
