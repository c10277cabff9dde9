-- As the clients of every 422 know it.
create or replace function logic.field_error(p_field text, p_message text) returns jsonb
language sql immutable parallel safe
as $$ select jsonb_build_object('path', 'data.' || p_field, 'message', p_message) $$;
comment on function logic.field_error(text, text) is 'One of the errors of a 422 on a document.';
