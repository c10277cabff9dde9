-- The write path of calls that concern an account and no one workspace (creating a workspace; sign-in): batches of their own,
-- which never take a clock that exists, so that an open transaction in a workspace blocks no sign-in. Answers as batch_run.
-- Locks: the accounts that act, in order, skipping what others hold; with p_wait_ms, for one account, waiting so long at most.
create or replace function api.account_batch_run(
  p_functions text[], p_actors uuid[], p_transactions uuid[], p_arguments text[], p_wait_ms integer default 0,
  p_sessions uuid[] default null)
returns table (n integer, state text, workspace_id uuid, version text, answer text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
  v_call record;
  v_result record;
  v_nowhere constant uuid[] := array_fill('00000000-0000-0000-0000-000000000000'::uuid, array[cardinality(p_functions)]);
  v_done integer[] := '{}';
begin
  perform set_config('rowcast.batch', 'on', true);
  for v_call in
    select * from logic.account_batch_open(
      p_functions, p_actors, p_sessions, p_transactions, p_arguments, logic.accounts_lock(p_actors, p_wait_ms))
  loop
    n := v_call.n;
    answer := null;
    state := 'busy';
    if not v_call.busy then
      perform logic.settings_enter(null, p_actors[n], null, null, null, p_transactions[n], v_call.repeated_seq, p_sessions[n]);
      v_result := logic.call_safely(p_functions[n], null, p_arguments[n], v_call.refusal);
      state := v_result.state;
      answer := v_result.answer;
      if state = 'ok' and v_call.repeated_seq is null then
        v_done := v_done || n;
      end if;
    end if;
    return next;
  end loop;
  perform logic.settings_enter();
  perform logic.batch_close(
    v_done, array_fill(null::bigint, array[cardinality(v_done)]), array_fill(0::bigint, array[cardinality(v_done)]),
    v_nowhere, p_actors, p_transactions, p_functions, p_arguments);
end
$$;
comment on function api.account_batch_run(text[], uuid[], uuid[], text[], integer, uuid[]) is 'Runs a batch of calls that concern accounts.';
