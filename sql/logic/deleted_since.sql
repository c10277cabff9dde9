-- Whether a record is deleted, by somebody else and since a version of it. p_own: the writes that are not somebody else's (see transaction_basis).
create or replace function logic.deleted_since(p_record core.record, p_version integer, p_own jsonb) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select p_record.deleted_at is not null and coalesce(p_version < p_record.version, false) and coalesce((
    select c.version > p_version and not logic.change_is_own(c, p_own)
    from core.change c
    where c.workspace_id = p_record.workspace_id and c.record_id = p_record.id and c.action = 'deleted'
    order by c.seq desc
    limit 1), true)
$$;
comment on function logic.deleted_since(core.record, integer, jsonb) is 'Whether somebody else has deleted a record since a version.';
