-- The demo's owner, its sample users, and for every template a workspace of the owner's with the template's sample users and records; made
-- once, through the functions that everybody writes with. Answers {account, workspaces, users: [{id, email, name, role}]}: users are
-- those of the templates. For the demo only.
-- Locks: an advisory lock, so that two processes that start at once make it once.
create or replace function trusted.sample_prepare(p_email text, p_name text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_account uuid;
  v_template core.template;
begin
  perform pg_advisory_xact_lock(hashtextextended('rowcast sample', 0));
  v_account := logic.sample_account(p_email, p_name);
  for v_template in select * from core.template t order by t.definition -> 'document' loop
    continue when exists (
      select from core.member m
      join core.workspace w on w.workspace_id = m.workspace_id and w.template = v_template.key
      where m.account_id = v_account);
    perform logic.sample_workspace(v_account, v_template);
  end loop;
  perform logic.settings_enter(null, v_account);
  return jsonb_build_object(
    'account', v_account,
    'workspaces', api.workspace_list() -> 'workspaces',
    'users', (
      select coalesce(jsonb_agg(logic.account_shape(a) || jsonb_build_object('role', u.value -> 'role') order by t.definition -> 'document', u.n), '[]')
      from core.template t
      cross join lateral jsonb_array_elements(t.definition -> 'users') with ordinality u(value, n)
      join core.account a on lower(a.email) = lower(u.value ->> 'email') and a.disabled_at is null));
end
$$;
comment on function trusted.sample_prepare(text, text) is 'Makes the accounts and the workspaces of the demo.';
