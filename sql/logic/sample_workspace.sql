-- A workspace of the demo: a template's, with its sample users as members and its sample records, each written by the user that it names
-- (`by`, an e-mail address; else the owner). Where a record's value is the address of a sample user, it becomes that user; where it is
-- "@" and the `ref` of a record before it, that record. They are there in any state, as imported ones are.
create or replace function logic.sample_workspace(p_owner uuid, p_template core.template) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_known jsonb := '{}';
  v_workspace uuid;
  v_row record;
begin
  perform logic.settings_enter(null, p_owner, null, null, null, gen_random_uuid());
  v_workspace := api.workspace_create(p_template.definition ->> 'label', p_template.key) ->> 'id';
  for v_row in select u.value from jsonb_array_elements(p_template.definition -> 'users') u loop
    v_known := v_known || jsonb_build_object(
      v_row.value ->> 'email', logic.sample_account(v_row.value ->> 'email', v_row.value ->> 'name'));
    insert into core.member (workspace_id, account_id, role)
    values (v_workspace, (v_known ->> (v_row.value ->> 'email'))::uuid, v_row.value ->> 'role');
  end loop;
  perform logic.exempt_set('rowcast.importing', v_workspace, true);
  for v_row in select r.value from jsonb_array_elements(p_template.definition -> 'records') r loop
    perform logic.enter(v_workspace, coalesce((v_known ->> (v_row.value ->> 'by'))::uuid, p_owner));
    v_known := v_known || jsonb_build_object(
      '@' || coalesce(v_row.value ->> 'ref', ''),
      api.record_create(v_workspace, v_row.value ->> 'collection', (
        select jsonb_object_agg(d.key, coalesce(v_known -> (d.value #>> '{}'), d.value)) from jsonb_each(v_row.value -> 'data') d)) -> 'id');
  end loop;
  perform logic.exempt_set('rowcast.importing', v_workspace, false);
end
$$;
comment on function logic.sample_workspace(uuid, core.template) is 'A workspace of the demo, with its users and records.';
