create or replace function logic.mail_shape(p_mail core.mail) returns jsonb
language sql stable parallel safe
as $$
  select jsonb_build_object(
    'id', p_mail.id,
    'kind', p_mail.kind,
    'address', p_mail.address,
    'data', p_mail.data,
    'expiresAt', extract(epoch from p_mail.expires_at),
    'attempts', p_mail.attempts,
    'createdAt', logic.utc(p_mail.created_at),
    'sentAt', logic.utc(p_mail.sent_at),
    'error', p_mail.error)
$$;
comment on function logic.mail_shape(core.mail) is 'A mail, as who delivers it needs it.';
