-- Whether each of these accounts is, or was, a member of a workspace, and is not erased. Who was stands in the log, under the workspace's
-- access changes. Answers for the entered workspace only; to a direct writer, for any.
create or replace function logic.members_ever(p_workspace_id uuid, p_accounts uuid[]) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(core.entered_workspace(), p_workspace_id) = p_workspace_id and not exists (
    select from unnest(p_accounts) a(id)
    where not exists (
        select from core.member m where m.workspace_id = p_workspace_id and m.account_id = a.id)
      and not exists (
        select from core.change c
        join core.account k on k.id = a.id and k.erased_at is null
        where c.workspace_id = p_workspace_id and c.record_id = logic.access_id(p_workspace_id)
          and c.patch @> jsonb_build_object('event', 'member-left', 'accountId', a.id)))
$$;
comment on function logic.members_ever(uuid, uuid[]) is 'Whether accounts are or were members of a workspace.';
