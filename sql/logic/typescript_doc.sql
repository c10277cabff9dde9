-- A comment of one line, which no text can end before its end.
create or replace function logic.typescript_doc(p_text text, p_indent text) returns text
language sql immutable parallel safe
as $$
  select format(E'%s/** %s */\n', p_indent,
    btrim(replace(regexp_replace(p_text, '[[:cntrl:]' || chr(8232) || chr(8233) || ']+', ' ', 'g'), '*/', '*\/')))
$$;
comment on function logic.typescript_doc(text, text) is 'A TypeScript comment.';
