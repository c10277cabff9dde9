-- Logs every change of a record, whoever makes it: one row in core.change, in the field language of the log.
-- Locks: the clock of the workspace.
create or replace function logic.record__500_log() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_change core.change;
  v_fields record;
begin
  if tg_op = 'INSERT' then
    v_change.action := 'created';
    v_change.position := new.position;
    v_change.document := logic.record_shape(new);
  elsif new.version = old.version then
    return null;
  else
    v_change.action := case
      when old.deleted_at is null and new.deleted_at is not null then 'deleted'
      when old.deleted_at is not null and new.deleted_at is null then 'restored'
      when old.position <> new.position then 'moved'
      else 'updated'
    end;
    v_change.audience_before := old.audience;
    if old.data <> new.data then
      v_fields := logic.jsonb_changes(old.data, new.data);
      v_change.patch := v_fields.patch;
      v_change.before := v_fields.before;
      v_change.inverse := nullif(current_setting('rowcast.inverse', true), '')::jsonb;
    end if;
    if old.position <> new.position then
      v_change.position := new.position;
      v_change.position_before := old.position;
      if coalesce(current_setting('rowcast.transaction', true), '') <> '' then
        v_change.neighbours_before := logic.record_neighbours(old);
      end if;
    end if;
    if v_change.action = 'restored' or old.audience <> new.audience then
      v_change.document := logic.record_shape(new);
    end if;
  end if;
  v_change.workspace_id := new.workspace_id;
  v_change.collection := new.collection;
  v_change.record_id := new.id;
  v_change.version := new.version;
  v_change.at := new.updated_at;
  v_change.audience_after := new.audience;
  v_change.seq := logic.change_append(v_change);
  if v_change.document is not null and tg_op = 'UPDATE' then
    perform logic.audience_hand_on(new);
  end if;
  return null;
end
$$;
comment on function logic.record__500_log() is 'Writes the change of a record into the log.';

create or replace trigger record__500_log
  after insert or update on core.record
  for each row execute function logic.record__500_log();
