create or replace function logic.typescript_key(p_key text) returns text
language sql immutable parallel safe
as $$ select case when p_key ~ '^[A-Za-z_$][A-Za-z0-9_$]*$' then p_key else logic.typescript_string(p_key) end $$;
comment on function logic.typescript_key(text) is 'A key as a TypeScript property.';
