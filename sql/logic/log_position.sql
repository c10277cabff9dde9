-- Where the log of a workspace ends: its last seq and that change's mark. An empty log ends at its floor, with an empty mark.
create or replace function logic.log_position(p_workspace_id uuid, out seq bigint, out mark text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  select c.seq, logic.change_mark(c) into seq, mark
  from core.change c
  where c.workspace_id = p_workspace_id
  order by c.seq desc
  limit 1;
  if not found then
    select k.floor, '' into seq, mark from core.clock k where k.workspace_id = p_workspace_id;
  end if;
end
$$;
comment on function logic.log_position(uuid) is 'The last seq of a log and the mark of its change.';
