-- The next workspace that still holds something of an erased account: {accountId, workspaceId}, nulls where nothing is left to do.
-- An erasure goes through the workspaces in order, one call each, and can be taken up again anywhere. Reads logs whole.
create or replace function trusted.erasure_next() returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('accountId', a.id, 'workspaceId', w.workspace_id)
  from (select) one
  left join (
    select * from core.account a
    where a.erased_at is not null and a.erased_through is distinct from 'ffffffff-ffff-ffff-ffff-ffffffffffff'
    order by a.erased_at
    limit 1
  ) a on true
  left join lateral (
    select w.workspace_id
    from core.workspace w
    where (a.erased_through is null or w.workspace_id > a.erased_through)
      and (exists (select from core.member m where m.workspace_id = w.workspace_id and m.account_id = a.id)
        or exists (select from core.record r where r.workspace_id = w.workspace_id and a.id = any (r.audience))
        or exists (
          select from core.change c
          where c.workspace_id = w.workspace_id and (a.id = any (c.audience_before) or a.id = any (c.audience_after))))
    order by w.workspace_id
    limit 1
  ) w on true
$$;
comment on function trusted.erasure_next() is 'What an erasure has still to do.';
