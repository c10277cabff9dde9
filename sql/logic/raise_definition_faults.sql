-- Refuses a definition of a collection for all its faults at once; passes where there are none. Raises PT422 invalid_fields.
create or replace function logic.raise_definition_faults(p_faults jsonb) returns void
language plpgsql stable
as $$
begin
  if p_faults <> '[]' then
    raise sqlstate 'PT422' using hint = 'invalid_fields', message = 'The definition has faults.', detail = jsonb_build_object('errors', p_faults);
  end if;
end
$$;
comment on function logic.raise_definition_faults(jsonb) is 'Refuses a definition of a collection.';
