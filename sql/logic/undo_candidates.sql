-- The caller's writes that can be undone (or, p_redo: redone), the next one first. To undo: all that changed documents and nothing else,
-- and were not undone; a redo among them, an undo not; imports and migrations of fields are too big for that; what is trimmed is gone. To redo: undos behind
-- which the caller has changed no other document.
create or replace function logic.undo_candidates(p_workspace_id uuid, p_redo boolean, p_limit integer) returns setof core.transaction
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select t.*
  from core.transaction t
  where t.workspace_id = p_workspace_id
    and p_workspace_id = core.entered_workspace()
    and t.actor_id = core.entered_actor()
    and t.first_seq is not null
    and t.first_seq > (select k.floor from core.clock k where k.workspace_id = p_workspace_id)
    and t.undone_by is null
    and (t.function = 'transaction_undo') = p_redo
    and t.function <> 'record_import'
    and t.last_seq > case when not p_redo then 0 else coalesce((
      select w.last_seq
      from core.transaction w
      where w.workspace_id = p_workspace_id and w.actor_id = t.actor_id and w.first_seq is not null
        and w.function not in ('transaction_undo', 'transaction_redo')
        and exists (
          select from core.change c
          where c.workspace_id = w.workspace_id and c.seq between w.first_seq and w.last_seq and c.transaction_id = w.id
            and logic.change_is_of_document(c))
      order by w.last_seq desc
      limit 1), 0) end
    and not exists (
      select from core.change c
      where c.workspace_id = t.workspace_id and c.seq between t.first_seq and t.last_seq and c.transaction_id = t.id
        and not logic.change_is_of_document(c))
  order by t.last_seq desc
  limit p_limit
$$;
comment on function logic.undo_candidates(uuid, boolean, integer) is 'The writes that the caller can undo, or redo.';
