-- Creates a workspace from a template, with the caller as its owner. It concerns the caller's account and no workspace that
-- exists: no clock is taken but its own. Its id follows from caller and transaction, so that a repeat finds it.
-- Raises PT401 unauthenticated, PT403 not_permitted (a token without the scope), PT422 unknown_template.
create or replace function api.workspace_create(p_name text, p_template text) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor constant uuid := logic.sign_in_check(p_token_too => true);
  v_id constant uuid := encode(substring(sha256(convert_to(
    concat(v_actor, current_setting('rowcast.transaction', true)), 'UTF8')) for 16), 'hex')::uuid;
  v_definition jsonb;
begin
  perform logic.scope_check('manage');
  if logic.repeated_seq() is null then
    select t.definition into v_definition from core.template t where t.key = p_template;
    if not found then
      raise sqlstate 'PT422' using message = 'There is no such template.', hint = 'unknown_template';
    end if;
    insert into core.workspace (workspace_id, name, template) values (v_id, p_name, p_template);
    perform logic.template_apply(v_id, v_definition);
    insert into core.member (workspace_id, account_id, role) values (v_id, v_actor, 'owner');
  end if;
  return logic.workspace_shape(v_id, v_actor);
end
$$;
comment on function api.workspace_create(text, text) is 'Creates a workspace from a template and answers it.';
