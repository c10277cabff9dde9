-- What a new document lacks of its collection's required fields, as errors; null where it has them all. A field that is named with null
-- is not seen here: it gets no default, and is found where the fields are checked.
create or replace function logic.fields_missing(p_data jsonb, p_required text[], p_defaults jsonb) returns jsonb
language plpgsql immutable parallel safe
as $$
begin
  if p_data ?& p_required then
    return null;
  end if;
  return (
    select jsonb_agg(logic.field_error(r.key, 'is required.') order by r.n)
    from unnest(p_required) with ordinality r(key, n)
    where not p_data ? r.key and not p_defaults ? r.key);
end
$$;
comment on function logic.fields_missing(jsonb, text[], jsonb) is 'The required fields that a new document lacks, as errors.';
