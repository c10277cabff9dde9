-- POST an invitation: by e-mail, into a role, for 7 days unless told otherwise. A second one to the same address takes the
-- place of the first. Raises PT403 not_permitted, PT409 already_member, PT422 invalid_account, unknown_role; PT429
-- too_many_attempts.
create or replace function api.invitation_create(
  p_workspace_id uuid, p_email text, p_role text, p_expires_in_days integer default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_invitation core.invitation;
begin
  perform logic.manage_check();
  perform logic.role_check(logic.role_find(p_workspace_id, p_role));
  perform logic.account_check(p_email, '-');
  if logic.repeated_seq() is null then
    perform logic.attempt_take('invitations into ' || p_workspace_id, 100, '1 minute');
    v_invitation := logic.invitation_put(p_workspace_id, btrim(p_email), p_role, coalesce(p_expires_in_days, 7));
  else
    select * into v_invitation
    from core.invitation i
    where i.workspace_id = p_workspace_id and lower(i.email) = lower(btrim(p_email))
    order by i.created_at desc
    limit 1;
  end if;
  return logic.invitation_shape(v_invitation)
    || jsonb_build_object('seq', logic.written_seq(p_workspace_id));
end
$$;
comment on function api.invitation_create(uuid, text, text, integer) is 'Invites somebody into a workspace.';
