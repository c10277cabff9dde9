-- A value as another type has it, if nothing is lost on the way; else null. The null of JSON: there is nothing to keep (an empty list).
-- What comes out may still not fit the field (see field_violation).
create or replace function logic.value_convert(p_value jsonb, p_type text) returns jsonb
language plpgsql immutable parallel safe
as $$
declare
  v_text constant text := p_value #>> '{}';
  v_is_text constant boolean := p_type not in ('number', 'boolean', 'multi_select', 'json');
begin
  return case
    when p_type = 'json' then p_value
    else case jsonb_typeof(p_value)
      when 'string' then case
        when v_is_text then p_value
        when p_type = 'multi_select' then jsonb_build_array(p_value)
        when p_type = 'boolean' and v_text in ('true', 'false') then v_text::jsonb
        when p_type = 'number' and v_text ~ '^(0|-?[1-9][0-9]{0,14}|-?(0|[1-9][0-9]{0,8})\.[0-9]{0,5}[1-9])$' then v_text::jsonb
      end
      when 'number' then case
        when p_type = 'number' then p_value
        when p_type in ('text', 'long_text', 'select') then to_jsonb(v_text)
        when p_type = 'multi_select' then jsonb_build_array(v_text)
      end
      when 'boolean' then case
        when p_type = 'boolean' then p_value
        when p_type in ('text', 'long_text', 'select') then to_jsonb(v_text)
        when p_type = 'multi_select' then jsonb_build_array(v_text)
      end
      when 'array' then case
        when p_type in ('multi_select', 'user') then p_value
        when jsonb_array_length(p_value) = 0 then 'null'
        when jsonb_array_length(p_value) = 1 and jsonb_typeof(p_value -> 0) = 'string' then logic.value_convert(p_value -> 0, p_type)
      end
    end
  end;
end
$$;
comment on function logic.value_convert(jsonb, text) is 'A value as another type has it, if nothing is lost.';
