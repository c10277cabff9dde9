-- Refuses a term of a filter, naming it as it stands in the address. Raises PT422 with the code.
create or replace function logic.filter_refuse(p_key text, p_operator text, p_code text, p_message text) returns void
language plpgsql stable
as $$
begin
  raise sqlstate 'PT422' using message = format('filter[%s][%s]: %s.', p_key, p_operator, p_message), hint = p_code,
    detail = jsonb_build_object('errors', jsonb_build_array(
      jsonb_build_object('path', format('filter[%s][%s]', p_key, p_operator), 'message', p_message)));
end
$$;
comment on function logic.filter_refuse(text, text, text, text) is 'Refuses a term of a filter.';
