-- What hangs on a record goes with it: whom it concerns, its comments and attachments concern. For who has just changed the record,
-- under its clock.
-- Locks: the comments and attachments.
create or replace function logic.audience_hand_on(p_record core.record) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update core.comment c
  set audience = p_record.audience
  where c.workspace_id = p_record.workspace_id and c.record_id = p_record.id and c.audience <> p_record.audience;
  update core.attachment a
  set audience = p_record.audience
  where a.workspace_id = p_record.workspace_id and a.record_id = p_record.id and a.audience <> p_record.audience;
end
$$;
comment on function logic.audience_hand_on(core.record) is 'Gives the comments and attachments of a record its audience.';
