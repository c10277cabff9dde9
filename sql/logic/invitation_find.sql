-- An invitation that can still be accepted. Raises PT422 invalid_token.
-- Locks: its row.
create or replace function logic.invitation_find(p_workspace_id uuid, p_invitation_id uuid) returns core.invitation
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_invitation core.invitation;
begin
  select i.* into v_invitation
  from core.invitation i
  join core.workspace w on w.workspace_id = i.workspace_id and w.deleted_at is null
  join core.role r on r.workspace_id = i.workspace_id and r.key = i.role
  where i.workspace_id = p_workspace_id and i.id = p_invitation_id
    and i.accepted_at is null and i.revoked_at is null and i.expires_at > clock_timestamp()
  for no key update of i;
  if v_invitation.id is null then
    perform logic.raise_refusal('invalid_token');
  end if;
  return v_invitation;
end
$$;
comment on function logic.invitation_find(uuid, uuid) is 'An open invitation.';
