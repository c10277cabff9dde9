create or replace function logic.account_shape(p_account core.account) returns jsonb
language sql stable parallel safe
as $$
  select jsonb_build_object(
    'id', p_account.id,
    'email', p_account.email,
    'name', p_account.name,
    'avatar', p_account.avatar,
    'createdAt', logic.utc(p_account.created_at))
$$;
comment on function logic.account_shape(core.account) is 'An account as its holder sees it.';
