-- DELETE an invitation. Raises PT403 not_permitted, PT404 unknown_invitation.
create or replace function api.invitation_revoke(p_workspace_id uuid, p_invitation uuid) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform logic.manage_check();
  if logic.repeated_seq() is null then
    update core.invitation i
    set revoked_at = clock_timestamp()
    where i.workspace_id = p_workspace_id and i.id = p_invitation and i.accepted_at is null and i.revoked_at is null;
    if not found then
      raise sqlstate 'PT404' using hint = 'unknown_invitation', message = 'There is no such invitation, or it was accepted.';
    end if;
    perform logic.access_append(p_workspace_id, 'invitation-revoked', jsonb_build_object('invitationId', p_invitation));
  end if;
  return jsonb_build_object('id', p_invitation, 'seq', logic.written_seq(p_workspace_id));
end
$$;
comment on function api.invitation_revoke(uuid, uuid) is 'Takes an invitation back.';
