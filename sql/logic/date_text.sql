-- A date as documents write it, 2026-02-28: the text itself where it names a day that exists, else null. Such texts compare as their
-- days do, so nothing needs to be parsed. One plain expression, so that it becomes part of the query that uses it.
create or replace function logic.date_text(p_text text) returns text
language sql immutable parallel safe
as $$
  select case when p_text ~ ('^(?!0000)(\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8]))'
      || '|(\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)$')
    then p_text end
$$;
comment on function logic.date_text(text) is 'A text that names a day; null for any other.';
