-- The comments of a record go with it: whom it concerns, they concern. For who has just changed the record, under its clock.
-- Locks: the comments.
create or replace function logic.comments_hand_on(p_record core.record) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update core.comment c
  set audience = p_record.audience
  where c.workspace_id = p_record.workspace_id and c.record_id = p_record.id and c.audience <> p_record.audience;
end
$$;
comment on function logic.comments_hand_on(core.record) is 'Gives the comments of a record its audience.';
