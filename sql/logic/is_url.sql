-- Only what a page may safely link to: no javascript:, no data:.
create or replace function logic.is_url(p_text text) returns boolean
language sql immutable parallel safe
as $$
  select p_text ~* '^(https?://[^[:space:][:cntrl:]<>"/?#\\]+[^[:space:][:cntrl:]<>"]*|mailto:[^[:space:][:cntrl:]<>"@]+@[^[:space:][:cntrl:]<>"@]+)$'
$$;
comment on function logic.is_url(text) is 'Whether a text is an http, https or mailto URL.';
