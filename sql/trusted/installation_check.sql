-- What `rowcast doctor` can't see as the server: what is loaded, workspaces without a clock, logs with gaps above their
-- floor, and what is wrong up to the floor: there of each record whose creation is trimmed is one baseline, and nothing else of records.
-- Reads the whole log. No route leads here: it sees all tenants, though nothing that they wrote.
-- Answers {bundle: {number, hash}, migrations, workspaces, clockless: [workspace], gaps: [workspace], baselines: [workspace]}.
create or replace function trusted.installation_check() returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'bundle', (select jsonb_build_object('number', b.number, 'hash', b.hash) from core.bundle b),
    'migrations', (select coalesce(jsonb_agg(m.migration_id order by m.migration_id), '[]') from core._yoyo_migration m),
    'workspaces', (select count(*) from core.workspace),
    'clockless', (
      select coalesce(jsonb_agg(w.workspace_id order by w.number), '[]')
      from core.workspace w
      where not exists (select from core.clock k where k.workspace_id = w.workspace_id)),
    'gaps', (
      select coalesce(jsonb_agg(w.workspace_id order by w.number), '[]')
      from core.workspace w
      join core.clock k on k.workspace_id = w.workspace_id
      cross join lateral (
        select count(*) as changes, max(c.seq) as last
        from core.change c
        where c.workspace_id = w.workspace_id and c.seq > k.floor) l
      where l.changes <> coalesce(l.last, k.floor) - k.floor),
    'baselines', (
      select coalesce(jsonb_agg(w.workspace_id order by w.number), '[]')
      from core.workspace w
      join core.clock k on k.workspace_id = w.workspace_id
      where exists (
          select from core.change c
          where c.workspace_id = w.workspace_id and (c.action = 'baseline') <> (c.seq <= k.floor))
        or exists (
          select from core.record r
          left join core.change c on c.workspace_id = r.workspace_id and c.record_id = r.id and c.action in ('baseline', 'created')
          where r.workspace_id = w.workspace_id
          group by r.id
          having count(c.seq) <> 1)))
$$;
comment on function trusted.installation_check() is 'What an installation holds, for rowcast doctor.';
