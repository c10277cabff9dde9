-- What a display id looks like: prefix, workspace number, record number, at least 3 and 4 digits: TSK-001-0001.
-- (lpad alone would cut longer numbers.)
create or replace function logic.display_id(p_prefix text, p_workspace_number bigint, p_number bigint) returns text
language sql immutable parallel safe
as $$
  select p_prefix
    || '-' || lpad(p_workspace_number::text, greatest(3, length(p_workspace_number::text)), '0')
    || '-' || lpad(p_number::text, greatest(4, length(p_number::text)), '0')
$$;
comment on function logic.display_id(text, bigint, bigint) is 'The human-readable id of a record.';
