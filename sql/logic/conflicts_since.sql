-- Which fields of a patch were changed by others since the version that it is based on, to another value than the patch's own:
-- [{recordId, key, base, yours, theirs}], null standing for an absent field. Read from the log.
create or replace function logic.conflicts_since(p_record core.record, p_version integer, p_data jsonb) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'recordId', p_record.id, 'key', k.key,
    'base', k.base, 'yours', p_data -> k.key, 'theirs', p_record.data -> k.key) order by k.key), '[]')
  from (
    select b.key, (array_agg(b.value order by c.seq))[1] as base
    from core.change c
    cross join lateral jsonb_each(c.before) b
    where c.workspace_id = p_record.workspace_id
      and c.record_id = p_record.id
      and c.version > p_version
    group by b.key
  ) k
  where p_data -> k.key is distinct from p_record.data -> k.key
$$;
comment on function logic.conflicts_since(core.record, integer, jsonb) is 'The fields that both a write based on an old version and others since then have changed.';
