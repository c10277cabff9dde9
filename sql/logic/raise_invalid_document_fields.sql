-- Refuses a document: first for its faults, all at once, else for a step that its workflow does not have. But an erasure takes a person out
-- of every document, whatever is required there.
-- Raises PT422 invalid_document_fields {errors: [{path, message}]}, PT409 transition_not_allowed {field, from, to, possible}.
create or replace function logic.raise_invalid_document_fields(p_workspace_id uuid, p_errors jsonb, p_refused jsonb) returns void
language plpgsql stable
as $$
declare
  v_text text;
begin
  if logic.exempt('rowcast.erasing', p_workspace_id) then
    return;
  end if;
  if p_errors is null then
    raise sqlstate 'PT409' using hint = 'transition_not_allowed', detail = p_refused,
      message = format('%s can''t go from %s to %s here, or not by you.', p_refused ->> 'field',
        coalesce(left(p_refused ->> 'from', 60), 'unset'), coalesce(left(p_refused ->> 'to', 60), 'unset'));
  end if;
  select string_agg(substr(e.value ->> 'path', 6, 100) || ' ' || (e.value ->> 'message'), ' ' order by e.n) into v_text
  from jsonb_array_elements(p_errors) with ordinality e(value, n)
  where e.n <= 5;
  raise sqlstate 'PT422' using hint = 'invalid_document_fields', detail = jsonb_build_object('errors', p_errors),
    message = v_text || case when jsonb_array_length(p_errors) > 5 then ' And more.' else '' end;
end
$$;
comment on function logic.raise_invalid_document_fields(uuid, jsonb, jsonb) is 'Refuses a document for what its fields hold.';
