-- Writes logic.call, the dispatcher: one static branch per api function that a route can name, so that a call costs no
-- parsing and no planning, and one per function that the process calls for itself, as trusted.<name>. It is made anew from the
-- catalogue at the end of each load of sql/.
-- A parameter p_base_version is the member baseVersion of the arguments (3.0 is 3 to JSON); one that is missing is null.
-- p_workspace_id is the entered workspace. p_rest is what is left: the members that no parameter is named after (a flat body). Functions that return
-- a set (the batch itself, the hub's reader) can't be named.
-- The dispatchers of the faces are made with it (see faces_build).
create or replace function logic.dispatcher_build() returns void
language plpgsql volatile
as $$
declare
  v_branches text;
begin
  select string_agg(format('    when %L then return %s.%I(%s);',
    case when s.name = 'api' then '' else s.name || '.' end || p.proname, s.name, p.proname, a.list), E'\n'
    order by s.name, p.provolatile desc, p.proname)
  into v_branches
  from pg_catalog.pg_proc p
  join unnest('{api,trusted}'::text[]) s(name) on p.pronamespace = s.name::regnamespace
  cross join lateral (
    select string_agg(case
      when x.name = 'p_workspace_id' then 'p_workspace_id'
      when x.name = 'p_rest' then format('p_arguments - %L::text[]', array['workspaceId', 'id', 'ifMatch'] || array(
        select logic.camel_case(o.name) from unnest(p.proargnames) o(name) where o.name <> 'p_rest'))
      when x.type = 'jsonb'::regtype then format('p_arguments -> %L', logic.camel_case(x.name))
      when x.type = 'text[]'::regtype then format(
        'array(select jsonb_array_elements_text(p_arguments -> %L))', logic.camel_case(x.name))
      when x.type = 'text'::regtype then format('p_arguments ->> %L', logic.camel_case(x.name))
      when x.type in ('integer'::regtype, 'bigint'::regtype) then format(
        '(p_arguments ->> %L)::numeric::%s', logic.camel_case(x.name), x.type::regtype)
      else format('(p_arguments ->> %L)::%s', logic.camel_case(x.name), x.type::regtype)
    end, ', ' order by x.n) as list
    from unnest(p.proargnames, p.proargtypes::oid[]) with ordinality x(name, type, n)
  ) a
  where p.prorettype = 'jsonb'::regtype and not p.proretset;
  execute format(
    $function$
      create or replace function logic.call(p_function text, p_workspace_id uuid, p_arguments jsonb) returns jsonb
      language plpgsql volatile as %L
    $function$,
    E'begin\n  case p_function\n' || v_branches || E'\n    else raise sqlstate ''PT404'' using message = ''There is no such function.'', hint = ''unknown_function'';\n  end case;\nend');
  comment on function logic.call(text, uuid, jsonb) is 'The dispatcher, written by logic.dispatcher_build: calls an api function with arguments from JSON.';
  perform logic.faces_build();
end
$$;
comment on function logic.dispatcher_build() is 'Makes the dispatcher from the catalogue.';
