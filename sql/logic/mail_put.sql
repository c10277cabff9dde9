-- Puts a mail into the outbox, in the transaction of what causes it. data is what its text is made from, no secret: links
-- carry ids that are signed when it is sent.
create or replace function logic.mail_put(p_kind text, p_address text, p_data jsonb, p_expires_at timestamptz default null) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into core.mail (kind, address, data, expires_at)
  values (p_kind, p_address, p_data, coalesce(p_expires_at, clock_timestamp() + interval '1 day'));
end
$$;
comment on function logic.mail_put(text, text, jsonb, timestamptz) is 'Puts a mail into the outbox.';
