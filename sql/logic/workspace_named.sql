-- The workspace that an administrator's command means: by its id, number, slug or name; null: the only one there is.
-- Raises PT404 unknown_workspace, PT422 ambiguous_workspace.
create or replace function logic.workspace_named(p_workspace text) returns uuid
language plpgsql stable
as $$
declare
  v_found constant uuid[] := array(
    select w.workspace_id
    from core.workspace w
    where w.deleted_at is null
      and (p_workspace is null or p_workspace in (w.number::text, w.slug, w.name) or lower(p_workspace) = w.workspace_id::text)
    order by w.number);
begin
  if v_found = '{}' then
    raise sqlstate 'PT404' using hint = 'unknown_workspace', message = case
      when p_workspace is null then 'There is no workspace yet.' else 'There is no such workspace.' end;
  elsif cardinality(v_found) > 1 then
    raise sqlstate 'PT422' using hint = 'ambiguous_workspace', message = 'There are several workspaces; say which: ' || (
      select string_agg(format('%s (%s, number %s)', w.name, w.workspace_id, w.number), '; ' order by w.number)
      from core.workspace w
      where w.workspace_id = any (v_found[:10]));
  end if;
  return v_found[1];
end
$$;
comment on function logic.workspace_named(text) is 'The workspace that a command means.';
