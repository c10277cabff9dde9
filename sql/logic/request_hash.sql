-- What tells one request from another that came with the same id.
create or replace function logic.request_hash(p_function text, p_arguments text) returns bytea
language sql stable parallel safe
as $$ select sha256(convert_to(p_function || ' ' || p_arguments, 'UTF8')) $$;
comment on function logic.request_hash(text, text) is 'A hash of a call: its function and its arguments.';
