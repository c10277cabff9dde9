-- Raises PT422 invalid_account for what can be no account: the database's own checks, before anything is written. An address is plain: no quoted
-- parts, no comments, nothing that a mail's header could take for an encoded word.
create or replace function logic.account_check(p_email text, p_name text) returns void
language plpgsql immutable
as $$
begin
  if btrim(p_email) !~ '^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$' or length(p_email) > 320
      or length(btrim(p_name)) not between 1 and 200 or p_name ~ '[[:cntrl:]]'
      or p_email ~ '=\?' or p_email ~ '[<>()\[\],;:\\"]'
      or p_email is null or p_name is null then
    raise sqlstate 'PT422' using message = 'This is no e-mail address, or the name is empty or too long.', hint = 'invalid_account';
  end if;
end
$$;
comment on function logic.account_check(text, text) is 'Refuses what can be no account.';
