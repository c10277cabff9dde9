-- Begins or ends a work that stands above some rule (see exempt).
create or replace function logic.exempt_set(p_setting text, p_workspace_id uuid, p_on boolean) returns void
language plpgsql volatile
as $$
begin
  perform set_config(p_setting, case when p_on then p_workspace_id || ' ' || pg_current_xact_id() else '' end, true);
end
$$;
comment on function logic.exempt_set(text, uuid, boolean) is 'Begins or ends an exemption.';
