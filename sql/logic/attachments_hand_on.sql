-- The attachments of a record go with it: whom it concerns, they concern. For who has just changed the record, under its clock.
-- Locks: the attachments.
create or replace function logic.attachments_hand_on(p_record core.record) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update core.attachment a
  set audience = p_record.audience
  where a.workspace_id = p_record.workspace_id and a.record_id = p_record.id and a.audience <> p_record.audience;
end
$$;
comment on function logic.attachments_hand_on(core.record) is 'Gives the attachments of a record its audience.';
