-- Numbers a new record: the collection's last number + 1, deleted records included, and with it display id and position.
-- Locks: the clock of the workspace first, so that numbers are gapless in order of commit. Above READ COMMITTED a snapshot that
-- doesn't show the last number is refused (40001), as change_append refuses one that doesn't show the last seq.
create or replace function logic.record__100_number() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_prefix text;
  v_floor bigint;
  v_workspace_number bigint;
  v_last constant bigint := logic.seq_last(new.workspace_id);
begin
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    perform logic.snapshot_check(new.workspace_id, v_last);
  end if;
  select c.prefix, c.number_floor, c.user_fields, w.number, (
    select r.number
    from core.record r
    where r.workspace_id = new.workspace_id and r.collection = new.collection
    order by r.number desc
    limit 1)
  into v_prefix, v_floor, new.user_fields, v_workspace_number, new.number
  from core.collection c
  join core.workspace w on w.workspace_id = c.workspace_id
  where c.workspace_id = new.workspace_id and c.key = new.collection;
  if not found then
    perform logic.raise_refusal('unknown_collection');
  end if;
  new.number := greatest(coalesce(new.number, 0), v_floor) + 1;
  new.display_id := logic.display_id(v_prefix, v_workspace_number, new.number);
  new.position := coalesce(new.position, logic.position_initial(new.number));
  return new;
end
$$;
comment on function logic.record__100_number() is 'Gives a new record its number, display id and position.';

create or replace trigger record__100_number
  before insert on core.record
  for each row execute function logic.record__100_number();
