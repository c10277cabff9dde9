-- Whether a key is one that every record has beside its document, and that its writes keep themselves.
create or replace function logic.is_system_field(p_key text) returns boolean
language sql immutable parallel safe
as $$
  select p_key in ('id', 'displayId', 'collection', 'number', 'position', 'version', 'createdAt', 'createdBy', 'updatedAt', 'updatedBy', 'deletedAt')
$$;
comment on function logic.is_system_field(text) is 'Whether a key is one of the record itself.';
