-- The read path: enters the caller's workspace and calls one function that only reads. Its own function settles which
-- workspace that is, as in a batch; p_workspace_id null with neither record nor template is a call outside any workspace.
-- Entering and calling are two statements, so that no policy is judged by rights that are only just being set.
create or replace function api.query(
  p_function text, p_actor_id uuid, p_workspace_id uuid, p_record text, p_template text, p_arguments text,
  p_session_id uuid default null,
  out version text, out answer text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
  v_place record;
  v_answer jsonb;
begin
  perform logic.settings_enter(null, p_actor_id, p_session_id => p_session_id);
  if num_nonnulls(p_workspace_id, p_record, p_template) > 0 then
    select * into v_place
    from logic.call_workspaces(
      array[p_function], array[p_actor_id], array[p_session_id], array[p_workspace_id], array[p_record], array[p_template]);
    if v_place.refusal is not null then
      perform logic.raise_refusal(v_place.refusal, v_place.workspaces);
    end if;
    p_workspace_id := v_place.workspaces[1];
    perform logic.enter(p_workspace_id, p_actor_id, p_session_id);
  end if;
  v_answer := logic.call(p_function, p_workspace_id, p_arguments::jsonb);
  version := v_answer ->> 'version';
  answer := v_answer::text;
end
$$;
comment on function api.query(text, uuid, uuid, text, text, text, uuid) is 'Runs one read call.';
