-- If-Match is strict: the version must be the one that the client has seen. Raises PT412 version_mismatch.
create or replace function logic.record_check_version(p_record core.record, p_if_match text) returns void
language plpgsql immutable
as $$
begin
  if p_if_match is not null and p_if_match <> '*'
      and not p_record.version::text = any (regexp_split_to_array(translate(p_if_match, '" ', ''), ',')) then
    raise sqlstate 'PT412' using message = format('The record is at version %s.', p_record.version), hint = 'version_mismatch',
      detail = jsonb_build_object('version', p_record.version);
  end if;
end
$$;
comment on function logic.record_check_version(core.record, text) is 'Checks an If-Match header against the version of a record.';
