-- Finds a page of records: their ids, at most p_limit, and the sort keys of the last one if there are more behind it. Definer,
-- since operators on documents are not leakproof and reach no index under row-level security; so it checks workspace and
-- rights itself, and whoever shows the records reads them again under the policies.
create or replace function logic.record_probe(
  p_workspace_id uuid, p_collection text, p_filter jsonb, p_sort text, p_after jsonb, p_limit integer, p_offset bigint,
  out ids uuid[], out next_values jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_sort constant record := logic.sort_compile(p_workspace_id, p_collection, p_sort, p_after);
begin
  if p_workspace_id is distinct from core.entered_workspace() then
    perform logic.raise_refusal('unknown_workspace');
  end if;
  execute format(
    $query$
      select coalesce(array_agg(p.id order by p.n) filter (where p.n <= $3), '{}'),
        (array_agg(p.key_values) filter (where p.n = $3 and p.rows > $3))[1]
      from (
        select q.*, row_number() over () as n, count(*) over () as rows
        from (
          select r.id, %s as key_values
          from core.record r
          where r.workspace_id = $1
            and r.collection = $2
            and r.deleted_at is null
            and core.granted('rowcast.read', r.collection, r.audience)
            and %s
            and %s
          order by %s
          limit $3 + 1
          offset $4
        ) q
      ) p
    $query$,
    v_sort.key_values, v_sort.behind, logic.filter_compile(p_workspace_id, p_collection, p_filter), v_sort.ordering)
  into ids, next_values
  using p_workspace_id, p_collection, p_limit, p_offset;
end
$$;
comment on function logic.record_probe(uuid, text, jsonb, text, jsonb, integer, bigint) is 'The ids of a page of records.';
