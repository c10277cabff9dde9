-- A personal access token for the account of an e-mail address, for the administrator's commands: {account, token, …}.
-- Raises PT404 unknown_account.
create or replace function trusted.token_issue(p_email text, p_name text, p_days double precision) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_account constant jsonb := trusted.account_find(p_email);
begin
  return logic.token_issue((v_account ->> 'id')::uuid, p_name, null, p_days) || jsonb_build_object('account', v_account);
end
$$;
comment on function trusted.token_issue(text, text, double precision) is 'Makes a personal access token for an account.';
