-- The write path: the calls of many clients in one transaction, each in a subtransaction of its own. Answers one row per call,
-- in any order (n says which): state `ok`, `busy` (offer it again; workspace_id says where it waits) or a SQLSTATE.
--
-- Locks: the server never waits while it holds one. Clocks and records are taken with `skip locked`, all else runs under the
-- connection's short lock_timeout. With p_wait_ms (calls of one workspace only) it first waits for that clock, so long at
-- most, holding nothing; if it can't be had the whole batch is 55P03.
-- Settings are set or cleared outside the subtransaction, before each call and after the last: a failing call can't leave
-- another tenant's rights behind, whatever its rollback brings back.
create or replace function api.batch_run(
  p_functions text[], p_actors uuid[], p_workspaces uuid[], p_records text[], p_templates text[],
  p_transactions uuid[], p_arguments text[], p_wait_ms integer default 0,
  p_sessions uuid[] default null)
returns table (n integer, state text, workspace_id uuid, version text, answer text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
  v_call record;
  v_result record;
  v_workspaces uuid[] := array_fill(null::uuid, array[cardinality(p_functions)]);
  v_locked uuid[];
  v_carried uuid;
  v_entered text;
  v_seq bigint;
  v_last_seq bigint;
  v_done integer[] := '{}';
  v_first_seqs bigint[] := '{}';
  v_last_seqs bigint[] := '{}';
begin
  perform set_config('rowcast.batch', 'on', true);
  for v_call in select * from logic.call_workspaces(
    p_functions, p_actors, p_sessions, p_workspaces, p_records, p_templates) loop
    n := v_call.n;
    if v_call.refusal is null then
      v_workspaces[n] := v_call.workspaces[1];
    else
      v_result := logic.call_safely(null, null, null, v_call.refusal, v_call.workspaces);
      state := v_result.state;
      answer := v_result.answer;
      return next;
    end if;
  end loop;

  v_locked := logic.clocks_lock(v_workspaces, p_wait_ms);
  state := 'busy';
  answer := null;
  for i in 1 .. cardinality(p_functions) loop
    if v_workspaces[i] <> all (v_locked) then
      n := i;
      workspace_id := v_workspaces[i];
      return next;
      v_workspaces[i] := null;
    end if;
  end loop;

  for v_call in
    select * from logic.batch_open(
      p_functions, p_actors, p_sessions, v_workspaces, p_records, p_transactions, p_arguments)
  loop
    n := v_call.n;
    workspace_id := v_call.workspace_id;
    version := null;
    answer := null;
    if v_call.busy then
      state := 'busy';
      return next;
      continue;
    end if;
    if workspace_id is distinct from v_carried then
      v_seq := logic.seq_carry(workspace_id, v_call.last_seq, v_call.last_at);
      v_carried := workspace_id;
    end if;
    v_entered := logic.settings_enter(
      workspace_id, v_call.actor_id, v_call.read, v_call.edit, v_call.may, v_call.transaction_id, v_call.repeated_seq,
      v_call.session_id);
    v_result := logic.call_safely(v_call.function, workspace_id, v_call.arguments, v_call.refusal);
    state := v_result.state;
    answer := v_result.answer;
    if state = 'ok' then
      version := v_result.answer ->> 'version';
      if v_call.repeated_seq is null then
        v_done := v_done || n;
        v_last_seq := logic.seq_carried(workspace_id);
        v_first_seqs := v_first_seqs || case when v_last_seq > v_seq then v_seq + 1 end;
        v_last_seqs := v_last_seqs || (v_result.answer ->> 'seq')::bigint;
        v_seq := v_last_seq;
      end if;
    end if;
    return next;
  end loop;
  v_entered := logic.settings_enter();
  perform logic.batch_close(
    v_done, v_first_seqs, v_last_seqs, v_workspaces, p_actors, p_transactions, p_functions, p_arguments);
end
$$;
comment on function api.batch_run(text[], uuid[], uuid[], text[], text[], uuid[], text[], integer, uuid[]) is 'Runs a batch of write calls, each alone in its own subtransaction.';
