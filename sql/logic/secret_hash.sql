-- Random secrets need no salt and no slow hash.
create or replace function logic.secret_hash(p_secret text) returns bytea
language sql immutable parallel safe
as $$ select sha256(convert_to(p_secret, 'UTF8')) $$;
comment on function logic.secret_hash(text) is 'What is kept of a random secret.';
