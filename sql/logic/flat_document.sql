-- The document, or the patch, of a flat body: its members, or what it has wrapped as `data` or `patch`, but not both. What the server
-- keeps beside the fields is nobody's to set.
-- Raises PT422 read_only_field, invalid_request; with errors that name each member.
create or replace function logic.flat_document(p_wrapped jsonb, p_rest jsonb) returns jsonb
language plpgsql stable
as $$
declare
  v_kept constant text[] := array(
    select k.key from jsonb_object_keys(p_rest) k(key) where logic.is_system_field(k.key) or k.key = 'seq' order by k.key);
begin
  if p_wrapped is not null and p_rest <> '{}' then
    raise sqlstate 'PT422' using message = 'The request has faults.', hint = 'invalid_request',
      detail = jsonb_build_object('errors', (
        select jsonb_agg(jsonb_build_object('path', k.key, 'message', 'stands beside the wrapped document') order by k.key)
        from jsonb_object_keys(p_rest) k(key)));
  elsif v_kept <> '{}' then
    raise sqlstate 'PT422' using message = 'The server keeps these itself.', hint = 'read_only_field',
      detail = jsonb_build_object('errors', (
        select jsonb_agg(jsonb_build_object('path', k.key, 'message', 'kept by the server') order by k.key) from unnest(v_kept) k(key)));
  end if;
  return coalesce(p_wrapped, p_rest);
end
$$;
comment on function logic.flat_document(jsonb, jsonb) is 'The document or patch of a flat body.';
