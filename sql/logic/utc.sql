-- RFC 3339 in UTC, whatever the session's time zone: what clients see, and what the log keeps, must not depend on who wrote.
create or replace function logic.utc(p_at timestamptz) returns text
language sql stable parallel safe
as $$ select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$;
comment on function logic.utc(timestamptz) is 'A time as RFC 3339 text in UTC.';
