-- Whether a session is good for what its account asks now. Without a session the process vouches for the account itself; without
-- an account nobody has signed in, which is for each function to judge (see sign_in_check).
create or replace function logic.session_live(p_session_id uuid, p_account_id uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select p_account_id is null
    or exists (
      select from core.account a
      where a.id = p_account_id
        and a.disabled_at is null
        and (p_session_id is null or exists (
          select from core.session s
          where s.id = p_session_id and s.account_id = a.id and s.revoked_at is null
            and s.expires_at > statement_timestamp())))
$$;
comment on function logic.session_live(uuid, uuid) is 'Whether a session of an account has neither ended nor been revoked.';
