-- Makes a personal access token, rct_ and a secret, for 365 days unless told otherwise; scopes null: all that the account may.
create or replace function logic.token_issue(p_account_id uuid, p_name text, p_scopes text[], p_days double precision) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_secret constant text := 'rct_' || logic.secret_make();
  v_session core.session;
begin
  insert into core.session (account_id, kind, secret_hash, name, scopes, expires_at)
  values (p_account_id, 'token', logic.secret_hash(v_secret), p_name, p_scopes,
    clock_timestamp() + coalesce(p_days, 365) * interval '1 day')
  returning * into v_session;
  return logic.session_shape(v_session) || jsonb_build_object('token', v_secret);
end
$$;
comment on function logic.token_issue(uuid, text, text[], double precision) is 'Makes a personal access token.';
