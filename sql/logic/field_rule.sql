-- A field as field_violation and record__150_fields read it: {type, plain?, required?, options?, target?}.
-- plain: the JSON type that is all there is to check, so that a write of such a value calls nothing.
create or replace function logic.field_rule(p_field core.field) returns jsonb
language sql immutable parallel safe
as $$
  select jsonb_build_object('type', p_field.type)
    || case
      when p_field.type in ('text', 'long_text') then '{"plain": "string"}'::jsonb
      when p_field.type in ('number', 'boolean') then jsonb_build_object('plain', p_field.type)
      else '{}' end
    || case when p_field.required then '{"required": true}'::jsonb else '{}' end
    || case when p_field.options <> '[]' then jsonb_build_object('options', logic.option_values(p_field.options)) else '{}' end
    || case when p_field.target is not null then jsonb_build_object('target', p_field.target) else '{}' end
$$;
comment on function logic.field_rule(core.field) is 'A field as a rule for values.';
