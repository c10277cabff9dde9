-- Of objects in the store those that nothing needs (any more), by their keys: without a row, since a process died between storing
-- and writing, or their workspace was purged; or removed 30 days ago, whose rows go here. The caller asks for old objects only: a
-- new one may be about to get its row.
create or replace function trusted.attachment_orphans(p_keys text[]) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from core.attachment a
  using unnest(p_keys) k(key)
  where a.workspace_id = split_part(k.key, '/', 1)::uuid and a.storage_key = k.key
    and a.deleted_at < clock_timestamp() - interval '30 days';
  return jsonb_build_object('keys', coalesce((
    select jsonb_agg(k.key)
    from unnest(p_keys) k(key)
    where not exists (
      select from core.attachment a where a.workspace_id = split_part(k.key, '/', 1)::uuid and a.storage_key = k.key)), '[]'));
end
$$;
comment on function trusted.attachment_orphans(text[]) is 'The keys of objects that no attachment needs; removes the rows of those that were removed long ago.';
