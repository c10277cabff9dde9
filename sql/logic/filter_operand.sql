-- One value of a term of a filter, checked and in the form in which it is compared (see list_expression). Null stays null, and then
-- finds nothing. Raises PT422 invalid_value for what is not of the field's type.
create or replace function logic.filter_operand(
  p_key text, p_operator text, p_type text, p_kind text, p_options text[], p_value text) returns text
language plpgsql stable
as $$
declare
  v_of constant text := case when p_operator = 'empty' then 'boolean' when p_kind = 'column' then p_type else p_kind end;
  v_place constant integer := array_position(p_options, p_value);
begin
  if p_value is null or v_of = 'text' or v_of = 'list' then
    return p_value;
  end if;
  case v_of
    when 'boolean' then
      if p_value in ('true', 'false') then
        return p_value;
      end if;
    when 'number', 'numeric', 'bigint', 'integer' then
      if p_value ~ '^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$' then
        return case v_of when 'bigint' then p_value::bigint::text when 'integer' then p_value::integer::text else p_value::numeric::text end;
      end if;
    when 'date' then
      if logic.date_text(p_value) is not null then
        return p_value;
      end if;
    when 'instant', 'timestamptz' then
      if logic.instant_parse(p_value) is not null then
        return logic.instant_parse(p_value)::text;
      end if;
    when 'id', 'uuid' then
      if logic.is_uuid(p_value) then
        return lower(p_value);
      end if;
    when 'select' then
      if v_place is not null or p_operator not in ('gt', 'gte', 'lt', 'lte') then
        return to_char(coalesce(v_place, 9999), 'FM0000') || p_value;
      end if;
  end case;
  perform logic.filter_refuse(p_key, p_operator, 'invalid_value', format('%s is not %s', left(to_jsonb(p_value)::text, 100), case v_of
    when 'boolean' then 'true or false'
    when 'date' then 'a date like 2026-12-31'
    when 'instant' then 'a time like 2026-12-31T10:00:00Z'
    when 'timestamptz' then 'a time like 2026-12-31T10:00:00Z'
    when 'id' then 'an id'
    when 'uuid' then 'an id'
    when 'select' then 'one of its options'
    else 'a number'
  end));
exception when data_exception then
  perform logic.filter_refuse(p_key, p_operator, 'invalid_value', format('%s is out of range', left(to_jsonb(p_value)::text, 100)));
end
$$;
comment on function logic.filter_operand(text, text, text, text, text[], text) is 'A value of a filter, checked.';
