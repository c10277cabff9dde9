-- In which workspace each call of a batch belongs: exactly one answer per call, in order. A call names its workspace, or a
-- record (uuid or display id), or neither, and then it is the actor's only workspace of a template. Only workspaces of which
-- the actor is a member count: another tenant's record with the same id is invisible, and a stranger locks nobody's clock.
-- The candidates are found once (offset 0 keeps the planner from working them out for each mention of them).
-- Answers all candidates, and where they are not just one, the code of the refusal (see raise_refusal).
create or replace function logic.call_workspaces(
  p_functions text[], p_actors uuid[], p_sessions uuid[], p_workspaces uuid[], p_records text[], p_templates text[])
returns table (n integer, workspaces uuid[], refusal text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
begin
  return query select c.n::integer, w.candidates,
    case
      when cardinality(w.candidates) = 1 then null
      when not logic.session_live(c.session, c.actor) then 'unauthenticated'
      when cardinality(w.candidates) = 0 then case
        when c.workspace_id is not null then 'unknown_workspace'
        when c.record is not null then 'unknown_record'
        else 'ambiguous_workspace'
      end
      else 'ambiguous_workspace'
    end
  from unnest(p_functions, p_actors, p_sessions, p_workspaces, p_records, p_templates) with ordinality
    as c(function, actor, session, workspace_id, record, template, n)
  cross join lateral (
    select case
      when c.workspace_id is not null then case
        when exists (select from core.member m where m.workspace_id = c.workspace_id and m.account_id = c.actor)
          or logic.admitted(c.function, c.workspace_id, c.actor)
        then array[c.workspace_id] else '{}' end
      when c.record is not null and logic.is_uuid(c.record) then array(
        select r.workspace_id
        from core.record r
        where r.id = c.record::uuid
          and (select true from core.member m where m.workspace_id = r.workspace_id and m.account_id = c.actor))
      when c.record is not null then array(
        select m.workspace_id
        from core.member m
        join core.record r on r.workspace_id = m.workspace_id and r.display_id = upper(c.record)
        where m.account_id = c.actor)
      else array(
        select m.workspace_id
        from core.member m
        join core.workspace w on w.workspace_id = m.workspace_id
        where m.account_id = c.actor and w.template = c.template and w.deleted_at is null
        order by w.number)
    end as candidates
    offset 0
  ) w;
end
$$;
comment on function logic.call_workspaces(text[], uuid[], uuid[], uuid[], text[], text[]) is 'The candidate workspaces of each call of a batch.';
