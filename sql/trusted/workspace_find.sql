-- Where an administrator's command works, and as whom: a workspace by its id, number, slug or name (null: the only one there
-- is), its collections, and an account: the one of an e-mail address, else the owner who joined first.
-- Answers {id, number, name, collections, account: {id, email}}. No route leads here: it sees all tenants.
-- Raises PT404 unknown_workspace, unknown_account; PT422 ambiguous_workspace, no_owner, not_a_member.
create or replace function trusted.workspace_find(p_workspace text default null, p_email text default null) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_found constant uuid := logic.workspace_named(p_workspace);
  v_account uuid;
begin
  if p_email is null then
    select m.account_id into v_account
    from core.member m
    join core.account a on a.id = m.account_id and a.disabled_at is null
    where m.workspace_id = v_found and m.role = 'owner'
    order by m.joined_at, m.account_id
    limit 1;
    if not found then
      raise sqlstate 'PT422' using message = 'The workspace has no owner; say who acts, by e-mail address.', hint = 'no_owner';
    end if;
  else
    v_account := trusted.account_find(p_email) ->> 'id';
    if not exists (select from core.member m where m.workspace_id = v_found and m.account_id = v_account) then
      raise sqlstate 'PT422' using message = 'This account is no member of the workspace.', hint = 'not_a_member';
    end if;
  end if;
  return (
    select jsonb_build_object(
      'id', w.workspace_id,
      'number', w.number,
      'name', w.name,
      'collections', logic.collections_shape(w.workspace_id),
      'account', jsonb_build_object('id', a.id, 'email', a.email))
    from core.workspace w
    cross join core.account a
    where w.workspace_id = v_found and a.id = v_account);
end
$$;
comment on function trusted.workspace_find(text, text) is 'A workspace and an acting account, for the administrator''s commands.';
