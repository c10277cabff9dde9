-- Refuses a transaction of a queue where it names a record that there is not, since the write of the same queue that was to create it was
-- refused: with the root of it, in `cause`. p_named: what may name one; p_refused: as in transaction_basis; p_touched: what it has worked on so far,
-- or creates itself.
-- Raises PT424 depends_on_refused.
create or replace function logic.raise_depends_on_refused(p_workspace_id uuid, p_named text[], p_refused jsonb, p_touched uuid[]) returns void
language plpgsql stable
as $$
declare
  v_cause jsonb;
begin
  select p_refused -> lower(n.id) into v_cause
  from unnest(p_named) with ordinality n(id, n)
  where case when p_refused ? lower(n.id) and lower(n.id) <> all (p_touched::text[])
    then not exists (select from core.record r where r.workspace_id = p_workspace_id and r.id = n.id::uuid) end
  order by n.n
  limit 1;
  if v_cause is not null then
    raise sqlstate 'PT424' using message = 'The transaction that was to create this record was refused.', hint = 'depends_on_refused',
      detail = jsonb_build_object('cause', v_cause);
  end if;
end
$$;
comment on function logic.raise_depends_on_refused(uuid, text[], jsonb, uuid[]) is 'Refuses what names a record whose creation was refused.';
