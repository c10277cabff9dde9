-- Up to which seq a record's changes had made a version of it, and no later one; 0 where the log does not tell. A bound for who asks what
-- happened since: not every change that the record ever had is read. For definers only: it reads the log.
create or replace function logic.version_seq(p_record core.record, p_version integer) returns bigint
language sql stable
as $$
  select coalesce((
    select c.seq
    from core.change c
    where c.workspace_id = p_record.workspace_id and c.record_id = p_record.id and c.version <= p_version
    order by c.seq desc
    limit 1), 0)
$$;
comment on function logic.version_seq(core.record, integer) is 'The seq up to which a record had a version.';
