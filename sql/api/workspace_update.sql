-- PATCH a workspace: its name, its language (the text search configuration by which its texts are searched; they are indexed anew then).
-- Raises PT403 not_permitted, PT422 unknown_language.
create or replace function api.workspace_update(p_workspace_id uuid, p_name text default null, p_language text default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if logic.repeated_seq() is null then
    perform logic.manage_check();
    if p_language is not null and not exists (
        select from pg_ts_config g where g.cfgname = p_language and g.cfgnamespace = 'pg_catalog'::regnamespace) then
      raise sqlstate 'PT422' using message = 'There is no such language to search by.', hint = 'unknown_language',
        detail = '{"errors": [{"path": "language", "message": "unknown language"}]}';
    end if;
    update core.workspace w
    set name = coalesce(p_name, w.name), language = coalesce(p_language, w.language)
    where w.workspace_id = p_workspace_id;
  end if;
  return logic.workspace_shape(p_workspace_id, core.entered_actor())
    || jsonb_build_object('seq', logic.written_seq(p_workspace_id));
end
$$;
comment on function api.workspace_update(uuid, text, text) is 'Renames a workspace, or has it searched by another language.';
