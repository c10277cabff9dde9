-- Uses a one-time token up and answers it. Its id came signed: whoever has it was sent it.
-- Raises PT422 invalid_token where it is used, expired, unknown or for something else.
-- Locks: the token's row.
create or replace function logic.one_time_token_take(p_id uuid, p_purpose text) returns core.one_time_token
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_token core.one_time_token;
begin
  update core.one_time_token t
  set used_at = clock_timestamp()
  where t.id = p_id and t.purpose = p_purpose and t.used_at is null and t.expires_at > clock_timestamp()
  returning t.* into v_token;
  if not found then
    perform logic.raise_refusal('invalid_token');
  end if;
  return v_token;
end
$$;
comment on function logic.one_time_token_take(uuid, text) is 'Uses up a one-time token.';
