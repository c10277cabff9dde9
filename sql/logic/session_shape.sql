create or replace function logic.session_shape(p_session core.session) returns jsonb
language sql stable parallel safe
as $$
  select case p_session.kind
    when 'token' then jsonb_build_object('name', p_session.name, 'scopes', p_session.scopes)
    else jsonb_build_object(
      'client', p_session.client, 'address', p_session.address, 'current', p_session.id is not distinct from logic.entered_session())
    end || jsonb_build_object(
      'id', p_session.id,
      'createdAt', logic.utc(p_session.created_at),
      'usedAt', logic.utc(p_session.used_at),
      'expiresAt', logic.utc(p_session.expires_at))
$$;
comment on function logic.session_shape(core.session) is 'A sign-in or a personal access token as its holder sees it.';
