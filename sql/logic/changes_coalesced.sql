-- What follows in the log of the entered workspace, for who reads with these tokens, with one change per record, which all its changes in a piece of
-- the log come to (see changes_merge), and with all notices: {changes, seq, hasMore} as of api.changes. Who follows piece by piece has after each
-- what he would have after all its changes, one by one.
-- Definer: the log is open to nobody.
create or replace function logic.changes_coalesced(p_workspace_id uuid, p_since bigint, p_limit integer, p_read text[]) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_end constant record := logic.changes_end(p_workspace_id, p_since, p_limit);
  v_changes jsonb;
begin
  if p_workspace_id is distinct from core.entered_workspace() then
    perform logic.raise_refusal('unknown_workspace');
  end if;
  with piece as materialized (
    select c as change, logic.change_is_of_document(c) as is_of_document
    from core.change c
    where c.workspace_id = p_workspace_id and c.seq > p_since and c.seq <= v_end.last
  ),
  records as materialized (
    select logic.changes_merge(array_agg(p.change order by (p.change).seq)) as change,
      array_agg(p.change order by (p.change).seq) filter (where p.is_of_document) as changes
    from piece p
    where (p.change).record_id is not null
    group by (p.change).record_id
    having bool_or(p.is_of_document)
  ),
  told as (
    select case when s.after then r.change else logic.change_out_of_sight(r.changes, p_read) end as change, s.after,
      s.after and (not s.before or s.was_hidden or (r.change).action in ('created', 'restored')) as is_whole
    from records r
    cross join lateral (
      select core.tokens((r.change).collection, (r.change).audience_after) && p_read as after,
        (r.change).audience_before is not null and core.tokens((r.change).collection, (r.change).audience_before) && p_read as before,
        exists (select from unnest(r.changes) u where not core.tokens(u.collection, u.audience_after) && p_read) as was_hidden
    ) s
    where s.before or s.after
    union all
    select p.change, true, false
    from piece p
    where not p.is_of_document
      and case when (p.change).collection is null then logic.event_name(p.change) ~ '^(member-|workspace-updated|schema-changed)'
        else core.tokens((p.change).collection, (p.change).audience_after) && p_read end
  )
  select jsonb_agg(
    case when d.after then e.native || jsonb_build_object('event', logic.event_name(d.change))
      else e.native - 'patch' - 'position' || jsonb_build_object('event', (d.change).collection || '-removed') end
    || case when d.is_whole then jsonb_build_object('record', (d.change).document) else '{}' end
    order by (d.change).seq)
  into v_changes
  from told d
  left join core.record r on r.workspace_id = p_workspace_id and r.id = (d.change).record_id
  left join core.account a on a.id = (d.change).actor_id
  cross join lateral (select logic.change_shape(d.change, r.display_id, a.name) as native) e;
  return jsonb_build_object('changes', coalesce(v_changes, '[]'), 'seq', coalesce(v_end.last, p_since), 'hasMore', v_end.more);
end
$$;
comment on function logic.changes_coalesced(uuid, bigint, integer, text[]) is 'What follows in the log, one change per record.';
