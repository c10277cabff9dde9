-- Puts a new comment in its place: it takes collection and audience from its record, and a parent is a comment of the same
-- record, deleted or not.
-- Locks: the clock of the workspace first, so that the record's audience can't change meanwhile.
-- Raises PT404 unknown_record, PT422 invalid_comment.
create or replace function logic.comment__100_place() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform logic.seq_last(new.workspace_id);
  select r.collection, r.audience into new.collection, new.audience
  from core.record r
  where r.workspace_id = new.workspace_id and r.id = new.record_id;
  if not found then
    perform logic.raise_refusal('unknown_record');
  end if;
  if new.parent_id is not null and not exists (
      select from core.comment c
      where c.workspace_id = new.workspace_id and c.id = new.parent_id and c.record_id = new.record_id) then
    raise sqlstate 'PT422' using message = 'The comment can not be stored.', hint = 'invalid_comment',
      detail = '{"errors": [{"path": "parentId", "message": "The record has no such comment."}]}';
  end if;
  new.author_id := coalesce(core.entered_actor(), new.author_id);
  return new;
end
$$;
comment on function logic.comment__100_place() is 'Puts a new comment in its place.';

create or replace trigger comment__100_place
  before insert on core.comment
  for each row execute function logic.comment__100_place();
