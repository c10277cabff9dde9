-- The last mails of the outbox, for `rowcast mail list`: {mails: [as mail_take]}.
create or replace function trusted.mail_list(p_limit integer) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('mails', coalesce(jsonb_agg(logic.mail_shape(m) order by m.created_at), '[]'))
  from (select * from core.mail m order by m.created_at desc limit p_limit) m
$$;
comment on function trusted.mail_list(integer) is 'The last mails.';
