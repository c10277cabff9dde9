-- Whether this transaction is at a work in a workspace that stands above some rule: rowcast.importing (values that a new record starts with)
-- or rowcast.erasing (what is required). Believed only with the transaction's id beside the workspace's, as whoever began it wrote them.
create or replace function logic.exempt(p_setting text, p_workspace_id uuid) returns boolean
language sql stable
as $$ select coalesce(current_setting(p_setting, true), '') = p_workspace_id || ' ' || pg_current_xact_id() $$;
comment on function logic.exempt(text, uuid) is 'Whether this transaction is exempt from a rule.';
