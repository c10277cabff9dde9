-- What became of a mail that was taken: sent; or, with p_error, to be tried again after 30 seconds, then twice as long each
-- time, up to six hours; after ten attempts, or where p_final says that no attempt can help, it is given up.
create or replace function trusted.mail_settle(p_id uuid, p_error text default null, p_final boolean default false) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update core.mail m
  set sent_at = case when p_error is null then clock_timestamp() end,
    error = left(p_error, 500),
    failed_at = case when p_error is not null and (p_final or m.attempts >= 10) then clock_timestamp() end,
    next_at = clock_timestamp() + least(interval '6 hours', interval '30 seconds' * 2 ^ (m.attempts - 1)) * (0.8 + 0.4 * random())
  where m.id = p_id and m.sent_at is null;
  return jsonb_build_object('id', p_id);
end
$$;
comment on function trusted.mail_settle(uuid, text, boolean) is 'Notes what became of a mail.';
