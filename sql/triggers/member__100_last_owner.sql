-- A workspace is never without an owner, whoever writes; one whose account is erased is none. Not judged once the workspace
-- is deleted.
-- Locks: the clock of the workspace, so that two owners can't leave at the same moment; and an account that stays as owner, so
-- that it is not being erased meanwhile (see owner_other).
create or replace function logic.member__100_last_owner() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform logic.seq_last(old.workspace_id);
  if exists (select from core.workspace w where w.workspace_id = old.workspace_id and w.deleted_at is null)
      and exists (select from core.account a where a.id = old.account_id and a.erased_at is null)
      and logic.owner_other(old.workspace_id, old.account_id) is null then
    raise sqlstate 'PT409' using hint = 'last_owner', message = 'A workspace needs an owner: make somebody else one first.';
  end if;
  return coalesce(new, old);
end
$$;
comment on function logic.member__100_last_owner() is 'Keeps an owner in every workspace.';

create or replace trigger member__100_last_owner_leaves
  before delete on core.member
  for each row
  when (old.role = 'owner')
  execute function logic.member__100_last_owner();

create or replace trigger member__100_last_owner_changes
  before update of role, account_id on core.member
  for each row
  when (old.role = 'owner' and new.role <> 'owner')
  execute function logic.member__100_last_owner();
