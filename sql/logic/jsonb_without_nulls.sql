-- Documents hold no null members outside arrays: set to null is unset. jsonb_strip_nulls strips inside arrays too, so it
-- only serves to see quickly that there is nothing to do.
create or replace function logic.jsonb_without_nulls(p_document jsonb) returns jsonb
language sql immutable parallel safe
as $$
  select case
    when jsonb_strip_nulls(p_document) = p_document then p_document
    else logic.jsonb_merge_patch('{}', p_document)
  end
$$;
comment on function logic.jsonb_without_nulls(jsonb) is 'The document without its null members; arrays keep theirs.';
