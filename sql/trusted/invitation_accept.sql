-- Accepts an invitation as who has signed in: the process vouches that its mail's link came back, and its address must be the account's.
-- Answers the workspace, with seq. Raises PT401 unauthenticated; PT403 other_account, sign_in_required; PT422 invalid_token.
create or replace function trusted.invitation_accept(p_workspace_id uuid, p_invitation_id uuid) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor constant uuid := logic.sign_in_check();
  v_invitation core.invitation;
begin
  if logic.repeated_seq() is null then
    v_invitation := logic.invitation_find(p_workspace_id, p_invitation_id);
    if not exists (select from core.account a where a.id = v_actor and lower(a.email) = lower(v_invitation.email)) then
      raise sqlstate 'PT403' using hint = 'other_account',
        message = 'This invitation is for another e-mail address than that of your account.';
    end if;
    update core.invitation i
    set accepted_at = clock_timestamp(), accepted_by = v_actor
    where i.workspace_id = p_workspace_id and i.id = p_invitation_id;
    perform logic.access_append(p_workspace_id, 'invitation-accepted', jsonb_build_object('invitationId', p_invitation_id));
    insert into core.member (workspace_id, account_id, role) values (p_workspace_id, v_actor, v_invitation.role)
    on conflict (workspace_id, account_id) do nothing;
  end if;
  return logic.workspace_shape(p_workspace_id, v_actor)
    || jsonb_build_object('seq', logic.written_seq(p_workspace_id));
end
$$;
comment on function trusted.invitation_accept(uuid, uuid) is 'Accepts an invitation.';
