-- The log of the entered workspace, or of one record of it, as people read it: {activities, nextCursor, since}, the newest first,
-- behind a seq; since: where the log begins (see history_since). By the tokens of each change, as api.changes: what the caller could read when it happened. What took a record out of his
-- sight is left out, and so is what was there before it came into his sight.
-- At most 2,000 changes are looked at, so that who sees little waits no longer: then the page is short, and nextCursor goes on.
-- Definer, since the log is open to nobody: the caller has found the record, and the rights are those that were entered.
-- Raises PT404 unknown_workspace.
create or replace function logic.activity_page(
  p_workspace_id uuid, p_record_id uuid, p_cursor bigint, p_limit integer) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_looked_at constant integer := 2000;
  v_limit constant integer := least(coalesce(p_limit, 50), 200);
  v_before constant bigint := coalesce(p_cursor, 9223372036854775807);
  v_floor constant bigint := (select k.floor from core.clock k where k.workspace_id = p_workspace_id);
  v_read constant text[] := string_to_array(current_setting('rowcast.read', true), ' ');
  v_activities jsonb;
  v_next bigint;
begin
  if core.entered_workspace() is distinct from p_workspace_id then
    perform logic.raise_refusal('unknown_workspace');
  end if;
  select coalesce(jsonb_agg(logic.activity_shape(
    page.change, r.display_id, a.name,
    (page.change).audience_before is not null
      and core.tokens((page.change).collection, (page.change).audience_before) && v_read) order by (page.change).seq desc), '[]')
  into v_activities
  from (
    select c.change
    from (
      (select w.seq, w as change
        from core.change w
        where p_record_id is null and w.workspace_id = p_workspace_id and w.seq > v_floor and w.seq < v_before
        order by w.seq desc
        limit v_looked_at)
      union all
      (select o.seq, o
        from core.change o
        where p_record_id is not null and o.workspace_id = p_workspace_id and o.record_id = p_record_id and o.seq > v_floor
          and o.seq < v_before
        order by o.seq desc
        limit v_looked_at)
    ) c
    where case when (c.change).collection is null
      then coalesce((c.change).patch ->> 'event', '') ~ '^(member-|workspace-updated|schema-changed)'
      else core.tokens((c.change).collection, (c.change).audience_after) && v_read end
    order by c.seq desc
    limit v_limit + 1
  ) page
  left join core.record r on r.workspace_id = p_workspace_id and r.id = (page.change).record_id
  left join core.account a on a.id = (page.change).actor_id;
  if jsonb_array_length(v_activities) > v_limit then
    v_activities := v_activities - v_limit;
    v_next := v_activities -> (v_limit - 1) ->> 'seq';
  else
    select l.seq into v_next
    from core.change l
    where l.workspace_id = p_workspace_id and l.seq > v_floor and l.seq < v_before and (p_record_id is null or l.record_id = p_record_id)
    order by l.seq desc
    limit 1 offset v_looked_at - 1;
  end if;
  return jsonb_build_object('activities', v_activities, 'nextCursor', v_next::text, 'since', logic.history_since(p_workspace_id));
end
$$;
comment on function logic.activity_page(uuid, uuid, bigint, integer) is 'A page of the activity of a workspace or a record.';
