-- Clears away what has had its time: tickets, attempts, links, ended sessions and mails after a month; and of one workspace that was
-- deleted 30 days ago a piece at a time (p_rows changes). Answers {more}: whether to come back at once.
-- Locks: one process at a time, by an advisory lock that nobody waits for.
create or replace function trusted.upkeep_run(p_rows integer default 5000) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := clock_timestamp();
begin
  if not pg_try_advisory_xact_lock(hashtextextended('rowcast upkeep', 0)) then
    return jsonb_build_object('more', false);
  end if;
  delete from core.ticket t where t.expires_at < v_now;
  delete from core.attempt a where a.full_at < v_now;
  delete from core.one_time_token t where t.expires_at < v_now - interval '1 day';
  delete from core.refresh_token t where t.used_at < v_now - interval '30 days';
  delete from core.session s where least(s.expires_at, s.revoked_at) < v_now - interval '30 days';
  delete from core.mail m where coalesce(m.sent_at, m.failed_at) < v_now - interval '30 days';
  return jsonb_build_object('more', logic.workspace_purge(coalesce(p_rows, 5000)));
end
$$;
comment on function trusted.upkeep_run(integer) is 'Clears away what has had its time.';
