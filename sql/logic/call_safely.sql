-- One call in a subtransaction of its own: if it fails, it fails alone, and nothing of it remains.
-- p_refusal: why the dispatcher can't let it in (see raise_refusal); null for a call that may run.
-- Where a call before it in this transaction changed members or roles, its rights are read again.
-- state is `ok`, `busy` (somebody else holds a row that it needs) or the SQLSTATE; answer the function's, or {message, hint,
-- detail} of the error. What cancels a whole statement (57014) is not caught: the gateway offers each call again alone.
create or replace function logic.call_safely(
  p_function text, p_workspace_id uuid, p_arguments text, p_refusal text default null, p_candidates uuid[] default null,
  out state text, out answer jsonb)
language plpgsql volatile
as $$
declare
  v_message text;
  v_hint text;
  v_detail text;
begin
  if p_refusal is not null then
    perform logic.raise_refusal(p_refusal, p_candidates);
  end if;
  if current_setting('rowcast.access_changed', true) = pg_current_xact_id()::text and p_workspace_id is not null then
    if logic.admitted(p_function, p_workspace_id, core.entered_actor()) then
      perform logic.settings_enter(p_workspace_id, core.entered_actor(), null, null, null,
        nullif(current_setting('rowcast.transaction', true), '')::uuid, logic.repeated_seq(),
        logic.entered_session());
    else
      perform logic.enter(p_workspace_id, core.entered_actor(), logic.entered_session());
    end if;
  end if;
  answer := logic.call(p_function, p_workspace_id, p_arguments::jsonb);
  state := 'ok';
exception when others then
  get stacked diagnostics state = returned_sqlstate, v_message = message_text, v_hint = pg_exception_hint,
    v_detail = pg_exception_detail;
  state := case state when '55P03' then 'busy' else state end;
  answer := jsonb_build_object('message', v_message, 'hint', v_hint, 'detail', v_detail);
end
$$;
comment on function logic.call_safely(text, uuid, text, text, uuid[]) is 'Runs one call in its own subtransaction and answers also for its failure.';
