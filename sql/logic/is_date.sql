-- Without a cast, whose failure would need a subtransaction to be caught.
create or replace function logic.is_date(p_text text) returns boolean
language plpgsql immutable parallel safe
as $$
declare
  v_year integer;
  v_month integer;
begin
  if p_text !~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$' then
    return false;
  end if;
  v_year := left(p_text, 4)::integer;
  v_month := substr(p_text, 6, 2)::integer;
  return v_year > 0 and right(p_text, 2)::integer <= case
    when v_month in (4, 6, 9, 11) then 30
    when v_month <> 2 then 31
    when v_year % 4 = 0 and (v_year % 100 <> 0 or v_year % 400 = 0) then 29
    else 28
  end;
end
$$;
comment on function logic.is_date(text) is 'Whether a text is a day that exists, as YYYY-MM-DD.';
