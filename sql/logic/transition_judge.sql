-- What a workflow says to a step of a field by the actor, of whose role it asks here alone: null where it may be; {errors} where the step
-- asks for fields that are not set; {refused: {field, from, to, possible}} where there is no such step for him. possible: where he could
-- go from here. From null: where the field was not set, as on creation; without such a step it begins with its default.
-- A new record may also begin without, and one that is imported in any state.
create or replace function logic.transition_judge(
  p_workspace_id uuid, p_field text, p_rule jsonb, p_from jsonb, p_to jsonb, p_data jsonb) returns jsonb
language plpgsql stable
as $$
declare
  v_role text;
  v_possible jsonb;
  v_missing jsonb;
begin
  if p_from is null and (p_to is null or logic.exempt('rowcast.importing', p_workspace_id)) then
    return null;
  end if;
  select m.role into v_role
  from core.member m
  where m.workspace_id = p_workspace_id and m.account_id = core.entered_actor();
  v_possible := logic.transitions_open(p_rule, p_from, v_role);
  if not exists (select from jsonb_array_elements(v_possible) t(value) where nullif(t.value -> 'to', 'null') is not distinct from p_to) then
    return jsonb_build_object('refused', jsonb_build_object(
      'field', p_field, 'from', p_from, 'to', p_to,
      'possible', (select coalesce(jsonb_agg(distinct t.value -> 'to'), '[]') from jsonb_array_elements(v_possible) t(value))));
  end if;
  select m.missing into v_missing
  from jsonb_array_elements(v_possible) with ordinality t(value, n)
  cross join lateral (
    select coalesce(jsonb_agg(logic.field_error(q.key, format('is needed where %s becomes %s.', p_field, p_to #>> '{}')) order by q.n), '[]') as missing
    from jsonb_array_elements_text(t.value -> 'requires') with ordinality q(key, n)
    where coalesce(p_data -> q.key, 'null') in ('null', '""', '[]')
  ) m
  where nullif(t.value -> 'to', 'null') is not distinct from p_to
  order by jsonb_array_length(m.missing), t.n
  limit 1;
  return case when v_missing <> '[]' then jsonb_build_object('errors', v_missing) end;
end
$$;
comment on function logic.transition_judge(uuid, text, jsonb, jsonb, jsonb, jsonb) is 'What a workflow says to a step of a field by the actor.';
