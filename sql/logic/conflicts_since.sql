-- Which fields of a document that a write would make were changed by others since the version that it is based on, to another value than
-- the write's own: [{recordId, key, base, yours, theirs}], null standing for an absent field. Read from the log. What the caller's own writes gave a value
-- last (p_own, see transaction_basis) does not collide; their steps and list operations were never held against the version, and hide nothing. base is null where the caller could not have read it, and where
-- the log was trimmed since the version, or does not have it: then any field may have been changed, and from what can't be told.
create or replace function logic.conflicts_since(p_record core.record, p_version integer, p_data jsonb, p_own jsonb default '{}') returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'recordId', p_record.id, 'key', k.key,
    'base', k.base, 'yours', p_data -> k.key, 'theirs', p_record.data -> k.key) order by k.key), '[]')
  from (
    select d.key, (array_agg(d.value order by d.seq))[1] as base
    from (
      select b.key, c.seq, case when core.granted('rowcast.read', c.collection, c.audience_before) then b.value end as value,
        logic.change_is_own(c, p_own) as is_own,
        max(c.seq) filter (where logic.change_is_own(c, p_own) and not coalesce(c.inverse ? b.key, false)) over (partition by b.key) as own_seq
      from core.change c
      cross join lateral (
        select e.key, e.value from jsonb_each(c.before) e
        union all
        select f.key, null from jsonb_object_keys(p_data || p_record.data) f(key) where c.action = 'baseline'
      ) b
      where c.workspace_id = p_record.workspace_id
        and c.record_id = p_record.id
        and c.version > p_version
        and c.seq > (select logic.version_seq(p_record, p_version))
      union all
      select f.key, null, null, false, null from jsonb_object_keys(p_data || p_record.data) f(key) where p_version > p_record.version
    ) d
    where not d.is_own and (d.own_seq is null or d.seq > d.own_seq)
    group by d.key
  ) k
  where p_data -> k.key is distinct from p_record.data -> k.key
$$;
comment on function logic.conflicts_since(core.record, integer, jsonb, jsonb) is 'The fields that both a write based on an old version and others since then have changed.';
