-- Finds a page of records: their ids, at most p_limit, and the sort keys of the last one if there are more behind it. Definer, since
-- operators on documents are not leakproof and reach no index under row-level security, and nobody else may read the search index; so
-- it checks workspace and rights itself, and whoever shows the records reads them again under the policies.
-- How it goes, so that a page costs about the same in a workspace of any size (docs/lists.md says what costs what):
-- 1. With what to search for (p_q), the search index says which records match, and only they are looked at.
-- 2. A filter on values that the index holds as they stand (see filter_lexemes) may match every second record or none. So in an order
--    that an index has, the first 2,000 records are tried; if they don't fill the page, such values are rare, and the search index
--    says which records hold them.
-- 3. All else is looked for in the order of the list, until the page is full.
create or replace function logic.record_probe(
  p_workspace_id uuid, p_collection text, p_filter jsonb, p_sort text, p_after jsonb, p_limit integer, p_offset bigint,
  p_q text default null, out ids uuid[], out next_values jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_sort constant record := logic.sort_compile(p_workspace_id, p_collection, p_sort, p_after);
  v_filter constant text := logic.filter_compile(p_workspace_id, p_collection, p_filter);
  v_lexemes constant tsquery := logic.filter_lexemes(p_workspace_id, p_collection, p_filter);
  v_among uuid[];
  v_found record;
begin
  if p_workspace_id is distinct from core.entered_workspace() then
    perform logic.raise_refusal('unknown_workspace');
  end if;
  if btrim(p_q) <> '' then
    v_among := array(select h.record_id from logic.search_hits(p_workspace_id, p_q) h);
  elsif v_lexemes is not null then
    if v_sort.indexed then
      v_found := logic.record_scan(p_workspace_id, p_collection, v_filter, v_sort, p_limit, p_offset, p_first => 2000);
      if v_found.next_values is not null then
        ids := v_found.ids;
        next_values := v_found.next_values;
        return;
      end if;
    end if;
    v_among := logic.search_candidates(p_workspace_id, v_lexemes);
  end if;
  v_found := logic.record_scan(p_workspace_id, p_collection, v_filter, v_sort, p_limit, p_offset, v_among);
  ids := v_found.ids;
  next_values := v_found.next_values;
end
$$;
comment on function logic.record_probe(uuid, text, jsonb, text, jsonb, integer, bigint, text) is 'The ids of a page of records.';
