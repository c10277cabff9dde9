-- Notes how far the erasure of an account has come: through which workspace, or null, through all.
create or replace function trusted.erasure_note(p_account_id uuid, p_workspace uuid default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update core.account a
  set erased_through = coalesce(p_workspace, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
  where a.id = p_account_id and a.erased_at is not null;
  return jsonb_build_object('id', p_account_id);
end
$$;
comment on function trusted.erasure_note(uuid, uuid) is 'Notes how far an erasure has come.';
