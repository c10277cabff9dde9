-- The account of the demo with this address, made if it is missing.
create or replace function logic.sample_account(p_email text, p_name text) returns uuid
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  select a.id into v_id from core.account a where lower(a.email) = lower(p_email);
  return coalesce(v_id, (trusted.account_create(p_email, p_name) ->> 'id')::uuid);
end
$$;
comment on function logic.sample_account(text, text) is 'An account of the demo.';
