-- Writes an invitation in the place of an older one to the same address, logs it, and puts its mail into the outbox.
-- Raises PT409 already_member.
create or replace function logic.invitation_put(p_workspace_id uuid, p_email text, p_role text, p_days integer) returns core.invitation
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_invitation core.invitation;
begin
  if exists (
      select from core.member m
      join core.account a on a.id = m.account_id
      where m.workspace_id = p_workspace_id and lower(a.email) = lower(p_email)) then
    raise sqlstate 'PT409' using hint = 'already_member', message = 'This person is a member already.';
  end if;
  update core.invitation i
  set revoked_at = clock_timestamp()
  where i.workspace_id = p_workspace_id and lower(i.email) = lower(p_email) and i.accepted_at is null and i.revoked_at is null;
  insert into core.invitation (workspace_id, email, role, invited_by, expires_at)
  values (p_workspace_id, p_email, p_role, core.entered_actor(), clock_timestamp() + p_days * interval '1 day')
  returning * into v_invitation;
  perform logic.access_append(p_workspace_id, 'invitation-created',
    jsonb_build_object('invitationId', v_invitation.id, 'role', p_role));
  perform logic.mail_put('invitation', p_email,
    jsonb_build_object(
      'workspaceId', p_workspace_id,
      'invitationId', v_invitation.id,
      'workspace', (select w.name from core.workspace w where w.workspace_id = p_workspace_id),
      'inviterId', core.entered_actor(),
      'inviter', (select a.name from core.account a where a.id = core.entered_actor()),
      'role', (select r.label from core.role r where r.workspace_id = p_workspace_id and r.key = p_role)),
    v_invitation.expires_at);
  return v_invitation;
end
$$;
comment on function logic.invitation_put(uuid, text, text, integer) is 'Writes, logs and mails an invitation.';
