-- The demo's account and, for every template, a workspace of it with the template's sample records; made once, through the
-- functions that everybody writes with. Answers {account, workspaces}. For the demo only: no route leads here.
-- Locks: an advisory lock, so that two processes that start at once make it once.
create or replace function api.sample_prepare(p_email text, p_name text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_account uuid;
  v_template core.template;
  v_workspace uuid;
  v_row record;
begin
  perform pg_advisory_xact_lock(hashtextextended('rowcast sample', 0));
  select a.id into v_account from core.account a where lower(a.email) = lower(p_email);
  if not found then
    v_account := api.account_create(p_email, p_name) ->> 'id';
  end if;
  for v_template in select * from core.template t order by t.key loop
    continue when exists (
      select from core.member m
      join core.workspace w on w.workspace_id = m.workspace_id and w.template = v_template.key
      where m.account_id = v_account);
    perform logic.settings_enter(null, v_account, null, null, null, gen_random_uuid());
    v_workspace := api.workspace_create(v_template.definition ->> 'label', v_template.key) ->> 'id';
    perform logic.enter(v_workspace, v_account);
    for v_row in select r.value from jsonb_array_elements(v_template.definition -> 'records') r loop
      perform api.record_create(v_workspace, v_row.value ->> 'collection', v_row.value -> 'data');
    end loop;
  end loop;
  perform logic.settings_enter(null, v_account);
  return jsonb_build_object('account', v_account, 'workspaces', api.workspace_list() -> 'workspaces');
end
$$;
comment on function api.sample_prepare(text, text) is 'Makes the account and the workspaces of the demo.';
