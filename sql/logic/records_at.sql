-- The live records that the caller may read: those of today, or as they were at a seq. Those that nobody has changed since are today's.
create or replace function logic.records_at(p_workspace_id uuid, p_seq bigint) returns setof core.record
language plpgsql stable
as $$
begin
  if p_seq is null then
    return query select r.* from core.record r where r.workspace_id = p_workspace_id and r.deleted_at is null;
    return;
  end if;
  return query
    select (w.was).*
    from core.record r
    cross join lateral (select logic.record_at(r, p_seq) as was offset 0) w
    where r.workspace_id = p_workspace_id and (w.was).id is not null and (w.was).deleted_at is null;
end
$$;
comment on function logic.records_at(uuid, bigint) is 'The records of a workspace, as they are or as they were.';
