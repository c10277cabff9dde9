-- What somebody did to a record, as a sentence without its subject: moved TSK-001-0007 from todo to done.
create or replace function logic.activity_document_text(p_action text, p_display_id text, p_fields jsonb) returns text
language plpgsql immutable
as $$
declare
  v_step jsonb := jsonb_path_query_first(p_fields, '$[*] ? (@.step == true)');
  v_others text[] := array(
    select f.value ->> 'said' from jsonb_array_elements(p_fields) with ordinality f(value, n)
    where f.value is distinct from v_step order by f.n);
  v_users jsonb := p_fields #> '{0,to}';
begin
  if p_action in ('created', 'deleted', 'restored') then
    return p_action || ' ' || p_display_id;
  elsif v_step is not null then
    return 'moved ' || p_display_id
      || coalesce(case when v_step -> 'to' = 'null' then ' out of ' else ' from ' end || (v_step ->> 'fromSaid'), '')
      || coalesce(' to ' || (v_step ->> 'toSaid'), '')
      || case when v_others <> '{}' then ', and changed ' || logic.words_join(v_others) else '' end;
  elsif p_fields = '[]' then
    return p_action || ' ' || p_display_id;
  elsif jsonb_array_length(p_fields) = 1 and p_fields #>> '{0,type}' = 'user' then
    if v_users in ('null', '[]') then
      return 'unassigned ' || p_display_id;
    end if;
    return 'assigned ' || p_display_id || ' to ' || logic.words_join(array(
      select u.value #>> '{}'
      from jsonb_array_elements(case jsonb_typeof(v_users) when 'array' then v_users else jsonb_build_array(v_users) end) u));
  end if;
  return 'changed ' || logic.words_join(v_others) || ' of ' || p_display_id;
end
$$;
comment on function logic.activity_document_text(text, text, jsonb) is 'A change of a record as a sentence.';
