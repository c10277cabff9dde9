-- RFC 3339. Its zone is no further from UTC than PostgreSQL takes, so that every datetime of a document can be cast.
create or replace function logic.is_datetime(p_text text) returns boolean
language plpgsql immutable parallel safe
as $$
begin
  return p_text ~ '^.{10}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)([.][0-9]{1,9})?([Zz]|[+-](0[0-9]|1[0-5]):[0-5][0-9])$'
    and logic.is_date(left(p_text, 10));
end
$$;
comment on function logic.is_datetime(text) is 'Whether a text is a time with its zone (RFC 3339).';
