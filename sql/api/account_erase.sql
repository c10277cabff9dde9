-- DELETE me: erases the caller's account. At once its e-mail address, name, picture, password, sessions, mails and the invitations to its address
-- go; then, workspace by workspace, its membership and its id in user fields, of documents and of the log (see account_erase_in). What
-- stays is an id that says nothing, `Erased user`, as author of what other people work with: seq, numbers and their history are whole.
-- Locks: the accounts that its workspaces are left with as owners (see owner_other).
-- Raises PT401 unauthenticated, PT403 sign_in_required, PT409 last_owner with the workspaces that need another owner, or to be deleted.
create or replace function api.account_erase() returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor constant uuid := logic.sign_in_check();
  v_owned jsonb;
begin
  select jsonb_agg(jsonb_build_object('id', w.workspace_id, 'name', w.name) order by w.number) into v_owned
  from core.member m
  join core.workspace w on w.workspace_id = m.workspace_id and w.deleted_at is null
  where m.account_id = v_actor and m.role = 'owner'
    and logic.owner_other(m.workspace_id, v_actor) is null;
  if v_owned is not null then
    raise sqlstate 'PT409' using hint = 'last_owner', message = 'A workspace needs an owner: make somebody else one, or delete it.',
      detail = jsonb_build_object('workspaces', v_owned);
  end if;
  perform logic.account_scrub(v_actor);
  return jsonb_build_object('id', v_actor);
end
$$;
comment on function api.account_erase() is 'Erases the caller''s account.';
