-- The opaque cursor of a list: its sort and the sort keys of the last record, in base64url.
create or replace function logic.cursor_encode(p_sort text, p_values jsonb) returns text
language sql immutable parallel safe
as $$
  select translate(encode(convert_to(jsonb_build_object('s', coalesce(p_sort, ''), 'v', p_values)::text, 'UTF8'), 'base64'),
    E'+/=\n', '-_')
$$;
comment on function logic.cursor_encode(text, jsonb) is 'The cursor behind a record of a list.';
