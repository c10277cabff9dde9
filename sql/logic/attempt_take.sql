-- Counts an attempt at something that may be tried p_burst times at once and then every p_every: a token bucket, kept as the
-- time at which it is full again (the generic cell rate algorithm, ITU-T I.371). Keys are hashed: no address is kept in clear.
-- Raises PT429 too_many_attempts with {retryAfter} in seconds; what is refused is not counted.
create or replace function logic.attempt_take(p_key text, p_burst integer, p_every interval) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := clock_timestamp();
  v_key constant text := logic.attempt_key(p_key);
  v_full_at timestamptz;
begin
  insert into core.attempt as a (key, full_at) values (v_key, v_now + p_every)
  on conflict (key) do update set full_at = greatest(a.full_at, v_now) + p_every
    where greatest(a.full_at, v_now) + p_every <= v_now + p_burst * p_every;
  if not found then
    select a.full_at into v_full_at from core.attempt a where a.key = v_key;
    raise sqlstate 'PT429' using hint = 'too_many_attempts', message = 'Too many attempts; wait a little.',
      detail = jsonb_build_object('retryAfter', greatest(1, ceil(extract(epoch from
        coalesce(v_full_at, v_now) + p_every - p_burst * p_every - v_now))));
  end if;
end
$$;
comment on function logic.attempt_take(text, integer, interval) is 'Counts an attempt, or refuses it.';
