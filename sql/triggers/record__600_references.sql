-- What the deletion of a record does to those that refer to it: it is refused, or they lose the reference, or are deleted too; each as a
-- change like any other, with the same actor and transaction, whatever his rights to them. A restore brings back the one record alone.
-- Locks: the records that refer, behind the clock (record__500_log took it; whoever sets a reference takes it too, so none comes in between).
-- Raises PT409 record_in_use {records: display ids, of those that the caller may see}.
create or replace function logic.record__600_references() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_seen jsonb;
begin
  if old.deleted_at is not null or new.deleted_at is null then
    return null;
  end if;
  select coalesce(jsonb_agg(distinct f.display_id) filter (
    where core.entered_actor() is null or core.granted('rowcast.read', f.collection, f.audience)), '[]') into v_seen
  from logic.record_referrers(new) f
  where f.does = 'refuse'
  having count(*) > 0;
  if found then
    raise sqlstate 'PT409' using message = 'Other records refer to this one.', hint = 'record_in_use',
      detail = jsonb_build_object('records', v_seen);
  end if;
  update core.record r
  set deleted_at = clock_timestamp()
  where r.workspace_id = new.workspace_id and r.deleted_at is null
    and r.id in (select f.id from logic.record_referrers(new) f where f.does = 'delete');
  update core.record r
  set data = r.data - f.fields
  from (select f.id, array_agg(f.field) as fields from logic.record_referrers(new) f where f.does = 'unset' group by f.id) f
  where r.workspace_id = new.workspace_id and r.id = f.id;
  return null;
end
$$;
comment on function logic.record__600_references() is 'Does to the records that refer to a deleted one what their fields say.';

create or replace trigger record__600_references
  after update of deleted_at on core.record
  for each row execute function logic.record__600_references();
