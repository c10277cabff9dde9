-- The fields whose value an operation says, whatever it was before: where somebody else has changed one meanwhile, the two collide.
-- Steps and list operations say what to do with the value that is there, and collide with nothing.
create or replace function logic.operation_claims(p_operation jsonb) returns text[]
language sql immutable parallel safe
as $$
  select case
    when p_operation ->> 'type' in ('set', 'unset', 'set-now') then (logic.operation_path(p_operation))[1:1]
    when p_operation ->> 'type' = 'merge' then array(select jsonb_object_keys(p_operation -> 'patch'))
    else '{}'
  end
$$;
comment on function logic.operation_claims(jsonb) is 'The fields whose value an operation says.';
