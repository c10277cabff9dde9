-- The records that may match a filter of which the index answers a part (see filter_lexemes): those that do by the index, and all that it
-- does not know yet; the filter itself is for the caller. For definers only, who check workspace and rights.
create or replace function logic.search_candidates(p_workspace_id uuid, p_lexemes tsquery) returns uuid[]
language plpgsql stable
as $$
declare
  v_fresh constant record := logic.search_fresh(p_workspace_id);
  v_query constant tsquery := p_lexemes && logic.search_lexeme_query('ws:' || p_workspace_id);
begin
  return v_fresh.records || array(
    select e.record_id
    from core.search_entry e
    where e.workspace_id = p_workspace_id and e.words @@ v_query
      and (v_fresh.rebuilt is null or e.record_id <= v_fresh.rebuilt));
end
$$;
comment on function logic.search_candidates(uuid, tsquery) is 'The records that may match a filter.';
