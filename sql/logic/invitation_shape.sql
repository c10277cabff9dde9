create or replace function logic.invitation_shape(p_invitation core.invitation) returns jsonb
language sql stable parallel safe
as $$
  select jsonb_build_object(
    'id', p_invitation.id,
    'email', p_invitation.email,
    'role', p_invitation.role,
    'invitedBy', p_invitation.invited_by,
    'createdAt', logic.utc(p_invitation.created_at),
    'expiresAt', logic.utc(p_invitation.expires_at))
$$;
comment on function logic.invitation_shape(core.invitation) is 'An invitation, as who may manage sees it.';
