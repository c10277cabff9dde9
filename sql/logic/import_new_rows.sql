-- The rows of a chunk whose transaction has not taken effect yet; of rows that share one, the first.
create or replace function logic.import_new_rows(p_workspace_id uuid, p_rows jsonb) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(x.value order by x.n), '[]')
  from (
    select distinct on (r.value ->> 'transactionId') r.value, r.n
    from jsonb_array_elements(p_rows) with ordinality r(value, n)
    where not exists (
      select from core.transaction t
      where t.workspace_id = p_workspace_id and t.actor_id = core.entered_actor()
        and t.id = (r.value ->> 'transactionId')::uuid)
    order by r.value ->> 'transactionId', r.n
  ) x
$$;
comment on function logic.import_new_rows(uuid, jsonb) is 'The rows of an import that are not imported yet.';
