-- Erases an account from one workspace: its membership ends, its id leaves the user fields of the documents (as changes, logged and streamed)
-- and then those of the log, where a null stands in its place; and it is mentioned nowhere any more. As author (created_by, actor, audience) the bare id stays.
-- Locks: the clock of the workspace, and the records.
create or replace function trusted.account_erase_in(p_workspace_id uuid, p_account_id uuid) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from core.account a where a.id = p_account_id and a.erased_at is not null) then
    raise sqlstate 'PT404' using message = 'There is no such account that was erased.', hint = 'unknown_account';
  end if;
  delete from core.member m where m.workspace_id = p_workspace_id and m.account_id = p_account_id;
  perform logic.exempt_set('rowcast.erasing', p_workspace_id, true);
  update core.record r
  set data = logic.jsonb_without_account(r.data, r.user_fields, p_account_id, false)
  where r.workspace_id = p_workspace_id and p_account_id = any (r.audience)
    and r.data is distinct from logic.jsonb_without_account(r.data, r.user_fields, p_account_id, false);
  perform logic.exempt_set('rowcast.erasing', p_workspace_id, false);
  update core.comment c
  set mentions = array_remove(c.mentions, p_account_id)
  where c.workspace_id = p_workspace_id and p_account_id = any (c.mentions);
  update core.change c
  set patch = jsonb_set(c.patch, '{comment,mentions}', (c.patch #> '{comment,mentions}') - p_account_id::text),
    before = jsonb_set(c.before, '{comment,mentions}', (c.before #> '{comment,mentions}') - p_account_id::text)
  where c.workspace_id = p_workspace_id and c.action = 'comment'
    and (c.patch #> '{comment,mentions}' ? p_account_id::text or c.before #> '{comment,mentions}' ? p_account_id::text);
  update core.change c
  set patch = logic.jsonb_without_account(c.patch, k.user_fields, p_account_id, true),
    before = logic.jsonb_without_account(c.before, k.user_fields, p_account_id, true),
    inverse = c.inverse - k.user_fields,
    document = case when c.document ? 'data' then jsonb_set(
      c.document, '{data}', logic.jsonb_without_account(c.document -> 'data', k.user_fields, p_account_id, false)) else c.document end
  from core.collection k
  where c.workspace_id = p_workspace_id and k.workspace_id = c.workspace_id and k.key = c.collection
    and (p_account_id = any (c.audience_before) or p_account_id = any (c.audience_after));
  update core.transaction t
  set skipped = '[]'
  where t.workspace_id = p_workspace_id and strpos(t.skipped::text, p_account_id::text) > 0;
  return jsonb_build_object('id', p_account_id, 'seq', logic.seq_last(p_workspace_id));
end
$$;
comment on function trusted.account_erase_in(uuid, uuid) is 'Erases an account from one workspace.';
