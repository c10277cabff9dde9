-- depends: 0004.log
-- The database lets no one in: a policy compares a row with the settings that logic.enter made, and nothing else.
-- No policy reads a table, so they are cheap, leave indexes usable, and don't recurse.

create function core.entered_workspace() returns uuid
language sql stable parallel safe
as $$ select nullif(current_setting('rowcast.workspace', true), '')::uuid $$;
comment on function core.entered_workspace() is 'The workspace that this call has entered; null where it has entered none.';

create function core.entered_actor() returns uuid
language sql stable parallel safe
as $$ select nullif(current_setting('rowcast.actor', true), '')::uuid $$;
comment on function core.entered_actor() is 'The account that this call acts for; null for a direct writer.';

-- A role's tokens are compared with these. One plain expression, so that the planner puts it into the policy.
create function core.tokens(p_collection text, p_audience uuid[]) returns text[]
language sql stable parallel safe
as $$
  select string_to_array(
    '* ' || p_collection || coalesce(' ' || p_collection || ':'
      || nullif(array_to_string(p_audience, ' ' || p_collection || ':'), ''), ''), ' ')
$$;
comment on function core.tokens(text, uuid[]) is 'The tokens of a record, any of which gives a right to it: *, its collection, <collection>:<uuid> for each of its audience.';

-- The planner puts what everybody with full rights needs, one comparison, into the policy; the rest stays a call, since
-- every function that stands in a policy is looked up anew for every statement.
create function core.granted_token(p_granted text, p_collection text, p_audience uuid[]) returns boolean
language plpgsql stable parallel safe
as $$
begin
  return core.tokens(p_collection, p_audience) && string_to_array(p_granted, ' ');
end
$$;
comment on function core.granted_token(text, text, uuid[]) is 'Whether one of these tokens, separated by spaces, is one of the record''s.';

create function core.granted(p_setting text, p_collection text, p_audience uuid[]) returns boolean
language sql stable parallel safe
as $$
  select current_setting(p_setting, true) = '*'
    or core.granted_token(current_setting(p_setting, true), p_collection, p_audience)
$$;
comment on function core.granted(text, text, uuid[]) is 'Whether the entered rights (rowcast.read or rowcast.edit) cover a record of this collection and audience.';

create function core.permits(p_verb text, p_collection text, p_audience uuid[] default '{}') returns boolean
language sql stable parallel safe
as $$
  select string_to_array(p_verb || ':' || array_to_string(core.tokens(p_collection, p_audience), ' ' || p_verb || ':'), ' ')
    && string_to_array(current_setting('rowcast.may', true), ' ')
$$;
comment on function core.permits(text, text, uuid[]) is 'Whether the entered rights let the actor create, move, delete, comment or manage here.';

grant execute on function core.entered_workspace(), core.entered_actor(), core.tokens(text, uuid[]),
  core.granted_token(text, text, uuid[]),  core.granted(text, text, uuid[]), core.permits(text, text, uuid[]) to rowcast_server, rowcast_analyst;

alter table core.account enable row level security;
alter table core.template enable row level security;
alter table core.workspace enable row level security;
alter table core.clock enable row level security;
alter table core.role enable row level security;
alter table core.member enable row level security;
alter table core.collection enable row level security;
alter table core.field enable row level security;
alter table core.record enable row level security;
alter table core.transaction enable row level security;
alter table core.change enable row level security;

create policy workspace_entered on core.workspace for select to rowcast_server
  using (workspace_id = core.entered_workspace());
create policy role_entered on core.role for select to rowcast_server
  using (workspace_id = core.entered_workspace());
create policy member_entered on core.member for select to rowcast_server
  using (workspace_id = core.entered_workspace());
create policy collection_entered on core.collection for select to rowcast_server
  using (workspace_id = core.entered_workspace());
create policy field_entered on core.field for select to rowcast_server
  using (workspace_id = core.entered_workspace());

-- A SELECT policy also judges the new row of an UPDATE: a record that its writer hands on leaves his sight with that very
-- write. The write function, after its own check, names it in rowcast.written, and the policy accepts that one record.
create policy record_read on core.record for select to rowcast_server
  using (workspace_id = core.entered_workspace()
    and (core.granted('rowcast.read', collection, audience)
      or id = nullif(current_setting('rowcast.written', true), '')::uuid));
create policy record_create on core.record for insert to rowcast_server
  with check (workspace_id = core.entered_workspace()
    and core.permits('create', collection));
create policy record_write on core.record for update to rowcast_server
  using (workspace_id = core.entered_workspace()
    and (core.granted('rowcast.edit', collection, audience)
      or id = nullif(current_setting('rowcast.written', true), '')::uuid))
  with check (workspace_id = core.entered_workspace());

grant select on core.workspace, core.role, core.member, core.collection, core.field, core.record to rowcast_server;
grant insert (workspace_id, id, collection, data, position, created_at) on core.record to rowcast_server;
grant update (data, position, deleted_at) on core.record to rowcast_server;
