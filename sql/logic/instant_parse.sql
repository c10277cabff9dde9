-- A time as documents write it (RFC 3339), 2026-01-01T10:00:00+02:00, as an instant; null for any other text, never an error.
-- Without an offset it is UTC, a day alone its first moment. Immutable, since neither TimeZone nor DateStyle matters to such a text.
create or replace function logic.instant_parse(p_text text) returns timestamptz
language plpgsql immutable strict parallel safe
as $$
begin
  if p_text !~ '^.{10}([Tt ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?([Zz]|[+-](0\d|1[0-4]):?[0-5]\d)?)?$'
      or logic.date_text(left(p_text, 10)) is null then
    return null;
  end if;
  return (p_text || case when p_text ~ '([Zz]|[+-]\d\d:?\d\d)$' and length(p_text) > 10 then '' else 'Z' end)::timestamptz;
end
$$;
comment on function logic.instant_parse(text) is 'A text as an instant; null for one that is none.';
