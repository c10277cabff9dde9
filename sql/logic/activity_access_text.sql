-- What somebody did to the members or the workspace, as a sentence without its subject: joined as editor. A direct writer has no
-- name: then the sentence names the member.
create or replace function logic.activity_access_text(p_change core.change) returns text
language sql stable
as $$
  select case p_change.patch ->> 'event'
    when 'member-joined' then
      case w.who when 'self' then 'joined' when 'other' then 'added ' || w.name else w.name || ' joined' end || ' as ' || w.role
    when 'member-changed' then
      case w.who when 'self' then 'became ' when 'other' then 'made ' || w.name || ' ' else w.name || ' became ' end || w.role
    when 'member-left' then case w.who when 'self' then 'left' when 'other' then 'removed ' || w.name else w.name || ' left' end
    else 'renamed the workspace to ' || (p_change.patch ->> 'name')
  end
  from (
    select coalesce(a.name, 'somebody') as name, lower(coalesce(r.label, p_change.patch ->> 'role')) as role,
      case when p_change.actor_id = (p_change.patch ->> 'accountId')::uuid then 'self'
        when p_change.actor_id is not null then 'other' else 'nobody' end as who
    from (select) one
    left join core.account a on a.id = (p_change.patch ->> 'accountId')::uuid
    left join core.role r on r.workspace_id = p_change.workspace_id and r.key = p_change.patch ->> 'role'
  ) w
$$;
comment on function logic.activity_access_text(core.change) is 'A change of members or the workspace as a sentence.';
