-- depends: 0006.accounts
-- Comments on records. Who may read a record may read its comments: collection and audience are copies of the record's, so that
-- the policies need no look-up.

alter table core.record add column comment_count integer not null default 0;
comment on column core.record.comment_count is 'Its comments that are not deleted. Kept by a trigger on core.comment; part of no version.';

create table core.comment (
  workspace_id uuid not null,
  id uuid not null default gen_random_uuid(),
  record_id uuid not null,
  collection text not null,
  audience uuid[] not null,
  parent_id uuid,
  author_id uuid,
  body text not null,
  mentions uuid[] not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  edited_at timestamptz,
  deleted_at timestamptz,
  primary key (workspace_id, id),
  foreign key (workspace_id, record_id) references core.record (workspace_id, id)
);
create index comment_record_idx on core.comment (workspace_id, record_id, created_at, id);
comment on table core.comment is 'What somebody said about a record; deleted softly, so that its thread stays.';
comment on column core.comment.audience is 'That of its record. Kept by a trigger on core.record.';
comment on column core.comment.parent_id is 'The comment of the same record that this one replies to. No foreign key, since a purge removes them piece by piece.';
comment on column core.comment.mentions is 'The members that its body names with an @ and who may see the record. Kept by a trigger.';

alter table core.comment enable row level security;
create policy comment_read on core.comment for select to rowcast_server
  using (workspace_id = core.entered_workspace() and core.granted('rowcast.read', collection, audience));
create policy comment_create on core.comment for insert to rowcast_server
  with check (workspace_id = core.entered_workspace() and author_id = core.entered_actor()
    and core.granted('rowcast.read', collection, audience) and core.permits('comment', collection, audience));
create policy comment_write on core.comment for update to rowcast_server
  using (workspace_id = core.entered_workspace() and core.granted('rowcast.read', collection, audience)
    and (author_id = core.entered_actor() and core.permits('comment', collection, audience)
      or core.permits('manage', collection, audience)));

grant select on core.comment to rowcast_server;
grant insert (workspace_id, id, record_id, parent_id, body) on core.comment to rowcast_server;
grant update (body, deleted_at) on core.comment to rowcast_server;
