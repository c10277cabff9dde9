-- 244 random bits as 43 characters that may stand in a cookie, a header or a URL.
create or replace function logic.secret_make() returns text
language sql volatile
as $$
  select translate(rtrim(encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64'), '='), '+/', '-_')
$$;
comment on function logic.secret_make() is 'A new secret.';
