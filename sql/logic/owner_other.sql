-- An owner of a workspace beside one: whom it is left with when that one leaves, or is erased. Null: nobody.
-- Locks: his account, against an erasure that has begun or is to begin before the caller commits.
create or replace function logic.owner_other(p_workspace_id uuid, p_account_id uuid) returns uuid
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_account uuid;
begin
  select a.id into v_account
  from core.member m
  join core.account a on a.id = m.account_id
  where m.workspace_id = p_workspace_id and m.role = 'owner' and m.account_id <> p_account_id and a.erased_at is null
  order by a.id
  limit 1
  for share of a;
  return v_account;
end
$$;
comment on function logic.owner_other(uuid, uuid) is 'An owner of a workspace beside one.';
