-- Brings the search index of some workspaces on, looking at no more than about p_limit changes in all. Answers those that it has not
-- come to the end of. One process works on a workspace at a time, by an advisory lock that nobody waits for; the others leave it out.
-- Never takes a clock, and never waits: writers don't notice.
create or replace function trusted.search_index(p_workspaces uuid[], p_limit integer default 500) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
  v_step record;
  v_left integer := p_limit;
  v_behind uuid[] := '{}';
begin
  for v_id in
    select w.workspace_id from core.workspace w where w.workspace_id = any (p_workspaces) and w.deleted_at is null
  loop
    if v_left <= 0 then
      v_behind := v_behind || v_id;
    elsif pg_try_advisory_xact_lock(hashtextextended('rowcast search ' || v_id, 0)) then
      v_step := logic.search_step(v_id, v_left);
      v_left := v_left - v_step.looked_at;
      if v_step.more then
        v_behind := v_behind || v_id;
      end if;
    end if;
  end loop;
  return jsonb_build_object('behind', v_behind);
end
$$;
comment on function trusted.search_index(uuid[], integer) is 'Brings the search index of some workspaces on.';
