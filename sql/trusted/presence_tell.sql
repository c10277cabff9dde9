-- Tells the other processes who came, changed and left: a notification each. Writes no table; the commit is the notification's.
-- Locks: PostgreSQL lets the notifying commits of a cluster through one at a time.
create or replace function trusted.presence_tell(p_payloads text[]) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  select pg_notify('rowcast_presence', p.payload) from unnest(p_payloads) p(payload)
$$;
comment on function trusted.presence_tell(text[]) is 'Tells the other processes who is present.';
