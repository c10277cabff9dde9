-- The records that refer to one, each with the field that does and what is to become of it: refuse, unset, delete. A required field can't be
-- unset, so it refuses. For definers only: it sees every record of the workspace.
-- No index helps here (one on documents would make every write of them dearer): the collections with a reference to this one are read, and
-- where there is none, nothing but the fields.
create or replace function logic.record_referrers(p_record core.record)
returns table (field text, does text, id uuid, display_id text, collection text, audience uuid[])
language sql stable
as $$
  select f.key, case when f.required and f.on_delete = 'unset' then 'refuse' else f.on_delete end, r.id, r.display_id, r.collection, r.audience
  from core.field f
  join core.record r on r.workspace_id = f.workspace_id and r.collection = f.collection
  where f.workspace_id = p_record.workspace_id and f.type = 'reference' and coalesce(f.target, p_record.collection) = p_record.collection
    and r.deleted_at is null and r.id <> p_record.id and lower(r.data ->> f.key) = p_record.id::text
$$;
comment on function logic.record_referrers(core.record) is 'The live records that refer to a record, and what its deletion does to them.';
