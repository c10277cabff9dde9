-- Judges what a comment says, and finds whom it mentions. Only its author changes what it says; where it stands never changes.
-- Locks: the clock of the workspace, before the log needs it.
-- Raises PT422 invalid_comment, comment_identity, PT403 not_permitted.
create or replace function logic.comment__200_body() returns trigger
language plpgsql volatile
as $$
begin
  if tg_op = 'UPDATE' then
    if new.workspace_id <> old.workspace_id or new.id <> old.id or new.record_id <> old.record_id
        or new.parent_id is distinct from old.parent_id or new.author_id is distinct from old.author_id
        or new.created_at <> old.created_at then
      raise sqlstate 'PT422' using hint = 'comment_identity',
        message = 'Workspace, id, record, parent, author and creation time of a comment never change.';
    end if;
    if new.body = old.body then
      return new;
    end if;
    if core.entered_actor() is distinct from old.author_id and core.entered_actor() is not null then
      perform logic.raise_refusal('not_permitted');
    end if;
    perform logic.seq_last(new.workspace_id);
    new.edited_at := clock_timestamp();
  end if;
  -- Which characters are spaces differs by locale and version: those of Unicode are spelled out.
  if new.body !~ '[^\s\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]' or length(new.body) > 20000 then
    raise sqlstate 'PT422' using message = 'The comment can not be stored.', hint = 'invalid_comment',
      detail = '{"errors": [{"path": "body", "message": "A comment has 1 to 20,000 characters, and is not blank."}]}';
  end if;
  new.mentions := logic.comment_mentions(new);
  return new;
end
$$;
comment on function logic.comment__200_body() is 'Bounds and mentions of a comment.';

create or replace trigger comment__200_body
  before insert or update on core.comment
  for each row execute function logic.comment__200_body();
