-- Runs the query of a page (see record_probe): over all records of a collection, over those of p_among, or over the first p_first behind
-- the cursor. Dynamic SQL, made of what the compilers give.
create or replace function logic.record_scan(
  p_workspace_id uuid, p_collection text, p_filter text, p_sort record, p_limit integer, p_offset bigint,
  p_among uuid[] default null, p_first integer default null, out ids uuid[], out next_values jsonb)
language plpgsql stable
as $$
declare
  v_query text;
begin
  v_query := logic.record_query(p_filter, p_sort.ordering, p_sort.key_values, p_sort.behind, p_among is not null, p_first);
  execute v_query into ids, next_values using p_workspace_id, p_collection, p_limit, p_offset, p_among;
end
$$;
comment on function logic.record_scan(uuid, text, text, record, integer, bigint, uuid[], integer) is 'Runs the query of a page.';
