-- The version of a record that a transaction is based on (see transaction_basis); null where it says none, and where nothing has happened since. One that
-- the record does not have yet is of another past (a restored backup), or a slip: then all may have happened (see conflicts_since).
create or replace function logic.record_base(p_record core.record, p_basis jsonb) returns integer
language sql immutable parallel safe
as $$
  select b.version
  from (
    select coalesce(p_basis -> 'versions' ->> p_record.id::text, p_basis -> 'versions' ->> lower(p_record.display_id))::numeric::integer
  ) b(version)
  where b.version <> p_record.version
$$;
comment on function logic.record_base(core.record, jsonb) is 'The version that a transaction is based on, where the record has another one.';
