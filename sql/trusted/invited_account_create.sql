-- Makes the account of somebody who comes by an invitation: its link came back, so the address is verified. It is accepted by a call of its
-- own, in the workspace. Raises PT409 account_exists (sign in, then accept), PT422 invalid_account, invalid_token.
create or replace function trusted.invited_account_create(
  p_workspace uuid, p_invitation uuid, p_name text, p_password_hash text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_invitation constant core.invitation := logic.invitation_find(p_workspace, p_invitation);
begin
  return trusted.account_create(v_invitation.email, p_name, p_password_hash);
end
$$;
comment on function trusted.invited_account_create(uuid, uuid, text, text) is 'Makes an account for somebody who was invited.';
