-- GET the open invitations of a workspace. Raises PT403 not_permitted.
create or replace function api.invitation_list(p_workspace_id uuid) returns jsonb
language plpgsql stable
as $$
begin
  perform logic.manage_check();
  return (
    select jsonb_build_object('invitations', coalesce(jsonb_agg(logic.invitation_shape(i) order by i.created_at, i.id), '[]'), 'nextCursor', null)
    from core.invitation i
    where i.workspace_id = p_workspace_id and i.accepted_at is null and i.revoked_at is null
      and i.expires_at > statement_timestamp());
end
$$;
comment on function api.invitation_list(uuid) is 'The open invitations of a workspace.';
