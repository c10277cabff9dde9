-- The hub's reader: what follows in the logs of several workspaces, each behind its own cursor (epoch, seq, mark): at most
-- p_limit changes of each, fewer where they are big (256 KiB, but one at least); `more` says that there are more. A row per
-- change; where a cursor can't be continued, one row instead, with event `reset`, the end of the log as its seq and mark, and
-- as its native {reason, epoch}.
-- before, after, today: the tokens of the record then and now; the hub compares them with those of its streams. Who saw it
-- before and after gets native; who sees it only after gets whole, which comes from the log, not from today's row, which may be
-- out of sight again; who saw it only before gets removed, which says no more than that. form_data: the forms asked for, of
-- today's row, for who may see it today.
-- Definer, since a hub serves many tenants at once: the streams' rights come from stream_rights.
create or replace function api.log_read(
  p_workspaces uuid[], p_epochs text[], p_seqs bigint[], p_marks text[], p_forms text[], p_limit integer)
returns table (
  workspace_id uuid, seq bigint, mark text, event text, collection text, record_id uuid, actor_id uuid, account_id uuid,
  before text[], after text[], today text[], native text, whole text, removed text, form_events text[], form_data text[],
  more boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    with cursors as (
      select w.workspace_id, w.seq, logic.log_verdict(w.workspace_id, w.epoch, w.seq, w.mark) as verdict
      from unnest(p_workspaces, p_epochs, p_seqs, p_marks) w(workspace_id, epoch, seq, mark)
    )
    select k.workspace_id, p.seq, p.mark, 'reset', null, null, null, null, null, null, null,
      jsonb_build_object('reason', k.verdict, 'epoch', w.epoch)::text, null, null, null, null, false
    from cursors k
    left join core.workspace w on w.workspace_id = k.workspace_id
    cross join lateral logic.log_position(k.workspace_id) p
    where k.verdict is not null
    union all
    select k.workspace_id, c.seq, logic.change_mark(c), logic.event_name(c), c.collection, c.record_id, c.actor_id,
      (c.patch ->> 'accountId')::uuid,
      case when c.audience_before is not null then core.tokens(c.collection, c.audience_before) end,
      case when c.audience_after is not null then core.tokens(c.collection, c.audience_after) end,
      case when r.id is not null then core.tokens(r.collection, r.audience) end,
      (case when c.action in ('created', 'restored') then e.whole else e.native end)::text,
      e.whole::text,
      case when c.audience_before is distinct from c.audience_after then (e.native - 'patch' - 'position')::text end,
      f.events, f.data, page.peeked > page.last
    from cursors k
    cross join lateral (
      select max(s.seq) filter (where s.n <= p_limit and s.size_before < 262144) as last, max(s.seq) as peeked
      from (
        select l.seq, row_number() over (order by l.seq) as n, sum(l.size) over (order by l.seq) - l.size as size_before
        from (
          select o.seq, logic.jsonb_size(o.patch) + logic.jsonb_size(o.document) as size
          from core.change o
          where o.workspace_id = k.workspace_id and o.seq > k.seq
          order by o.seq
          limit p_limit + 1
        ) l
      ) s
    ) page
    cross join lateral (
      select * from core.change l
      where l.workspace_id = k.workspace_id and l.seq > k.seq and l.seq <= page.last
      order by l.seq
    ) as c
    left join core.record r on r.workspace_id = c.workspace_id and r.id = c.record_id
    left join core.account a on a.id = c.actor_id
    cross join lateral (
      select n.native, n.native || jsonb_build_object('record', c.document) as whole
      from (
        select case
          when logic.change_is_of_document(c) then logic.event_shape(c, r.display_id, a.name)
          when c.action = 'access' then logic.access_event_shape(c)
          else logic.notice_event_shape(c, r.display_id, a.name)
        end as native
      ) n
    ) e
    cross join lateral (
      select array_agg(x.event order by p.n) as events, array_agg(x.data::text order by p.n) as data
      from unnest(p_forms) with ordinality p(form, n)
      left join lateral faces.event(p.form, c, r, e.native) x on c.collection is not null
    ) f
    where k.verdict is null
    order by 1, 2;
end
$$;
comment on function api.log_read(uuid[], text[], bigint[], text[], text[], integer) is 'Reads on in the logs of several workspaces.';
