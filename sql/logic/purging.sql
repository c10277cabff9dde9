-- Whether this transaction purges a workspace for good (see workspace_purge): then nothing of it is logged or kept.
create or replace function logic.purging(p_workspace_id uuid) returns boolean
language sql stable
as $$ select coalesce(current_setting('rowcast.purging', true), '') = p_workspace_id || ' ' || pg_current_xact_id() $$;
comment on function logic.purging(uuid) is 'Whether this transaction purges a workspace.';
