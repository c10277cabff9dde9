-- Takes mails that are due, for one process to deliver: each is left alone by all others for five minutes, and is theirs again if nothing
-- is heard of it. What turned out to have no reader is dropped here: a password reset for an address without an account; a verification
-- for one that has an account becomes word of that; both go to the address that the account has, not to the one that was typed. Answers {mails: [{id, kind, address, data, expiresAt, attempts}], next}: next is in how many
-- seconds another falls due (null: none).
-- Locks: the mails, skipping what another process takes.
create or replace function trusted.mail_take(p_limit integer) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_mails jsonb;
begin
  with due as (
    select m.id
    from core.mail m
    where m.sent_at is null and m.failed_at is null and m.next_at <= clock_timestamp()
    order by m.next_at
    for update skip locked
    limit p_limit
  ), taken as (
    update core.mail m
    set attempts = m.attempts + 1,
      next_at = clock_timestamp() + interval '5 minutes',
      kind = coalesce(k.kind, m.kind),
      address = coalesce(k.address, m.address),
      failed_at = case when k.kind is null or m.expires_at <= clock_timestamp() or m.attempts >= 10 then clock_timestamp() end,
      error = case when k.kind is null then 'no account' when m.expires_at <= clock_timestamp() then 'expired' when m.attempts >= 10 then 'never finished' end
    from due d
    cross join lateral (select f.* from core.mail x cross join logic.mail_reader(x) f where x.id = d.id) k
    where m.id = d.id
    returning m.*
  )
  select jsonb_agg(logic.mail_shape(t) order by t.created_at) into v_mails from taken t where t.failed_at is null;
  return jsonb_build_object(
    'mails', coalesce(v_mails, '[]'),
    'next', (
      select case when count(*) > 0 then greatest(0, extract(epoch from min(m.next_at) - clock_timestamp())) end
      from core.mail m
      where m.sent_at is null and m.failed_at is null));
end
$$;
comment on function trusted.mail_take(integer) is 'Takes mails that are due.';
