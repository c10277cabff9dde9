-- A record that is deleted, of another collection than the target, or out of the caller's sight is no such record, in the same words.
-- The rights are compared here too, since this may run in a function with the owner's.
create or replace function logic.reference_violation(p_workspace_id uuid, p_target text, p_id text) returns text
language plpgsql stable
as $$
begin
  if logic.is_uuid(p_id) is not true then
    return 'must be the id of a record.';
  end if;
  perform from core.record r
  where r.workspace_id = p_workspace_id and r.id = p_id::uuid and r.deleted_at is null and r.collection = coalesce(p_target, r.collection)
    and (core.entered_actor() is null or core.granted('rowcast.read', r.collection, r.audience));
  if not found then
    return 'names no record' || coalesce(' of ' || p_target, '') || ' that there is.';
  end if;
  return null;
end
$$;
comment on function logic.reference_violation(uuid, text, text) is 'What is wrong with a value for a reference; null: it fits.';
