-- How many records this very call made when it was run before; 0 where it is new. A call's changes are contiguous, and those of
-- an import are all of them new records.
create or replace function logic.import_earlier(p_workspace_id uuid) returns integer
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_earlier integer;
begin
  if logic.repeated_seq() is null then
    return 0;
  end if;
  select t.last_seq - t.first_seq + 1 into v_earlier
  from core.transaction t
  where t.workspace_id = p_workspace_id and t.actor_id = core.entered_actor()
    and t.id = current_setting('rowcast.transaction')::uuid;
  return coalesce(v_earlier, 0);
end
$$;
comment on function logic.import_earlier(uuid) is 'How many records a repeated import call made the first time.';
