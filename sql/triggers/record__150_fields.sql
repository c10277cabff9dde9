-- Holds a document against the rules of its collection, whoever writes it: fills defaults on insert, and checks the fields that change,
-- and only those, so that a rule made later stops no other work on a record. A member that is null is a field that is not set
-- (record__200_version takes it out). Workflows bind who acts; a direct writer is nobody, and bound by types alone.
-- On the hot path: one look-up brings the changed fields with their rules, without those whose JSON type is all there is to check.
-- Locks: the clock of the workspace where a reference is set, so that its record is not deleted meanwhile.
-- Raises PT422 invalid_document_fields with every fault there is, PT409 transition_not_allowed.
create or replace function logic.record__150_fields() returns trigger
language plpgsql volatile
as $$
declare
  v_data jsonb;
  v_rules jsonb;
  v_unknown text;
  v_keys text[];
  v_key text;
  v_rule jsonb;
  v_value jsonb;
  v_said text;
  v_errors jsonb;
  v_verdict jsonb;
  v_refused jsonb;
begin
  if jsonb_typeof(new.data) is distinct from 'object' then
    return new;
  end if;
  if tg_op = 'INSERT' then
    select c.rules, c.unknown_fields, d.data, logic.fields_missing(new.data, c.required_fields, c.defaults), array(
      select k.key
      from (select jsonb_object_keys(d.data) as key) k
      where jsonb_typeof(d.data -> k.key) is distinct from c.rules -> k.key ->> 'plain')
    into v_rules, v_unknown, v_data, v_errors, v_keys
    from core.collection c
    cross join lateral (select c.defaults || new.data as data offset 0) d
    where c.workspace_id = new.workspace_id and c.key = new.collection;
    new.data := coalesce(v_data, new.data);
  else
    select c.rules, c.unknown_fields, array(
      select k.key
      from (select jsonb_object_keys(old.data || new.data) as key) k
      where new.data -> k.key is distinct from old.data -> k.key
        and coalesce(jsonb_typeof(new.data -> k.key), 'null') is distinct from c.rules -> k.key ->> 'plain')
    into v_rules, v_unknown, v_keys
    from core.collection c
    where c.workspace_id = new.workspace_id and c.key = new.collection;
  end if;
  if v_keys = '{}' and v_errors is null or v_keys is null then
    return new;
  end if;
  foreach v_key in array v_keys loop
    v_rule := v_rules -> v_key;
    v_value := nullif(new.data -> v_key, 'null');
    if v_value is null then
      v_said := case when v_rule ? 'required' then 'is required.' end;
    elsif v_rule is null then
      v_said := case v_unknown when 'refuse' then 'is no field of this collection.' end;
    else
      if v_rule ->> 'type' = 'reference' then
        perform logic.seq_last(new.workspace_id);
      end if;
      v_said := logic.field_violation(new.workspace_id, v_rule, v_value);
    end if;
    if v_said is not null then
      v_errors := coalesce(v_errors, '[]') || logic.field_error(v_key, v_said);
    elsif v_rule ? 'transitions' and core.entered_actor() is not null then
      v_verdict := logic.transition_judge(new.workspace_id, v_key, v_rule, old.data -> v_key, v_value, new.data);
      v_errors := coalesce(v_errors || (v_verdict -> 'errors'), v_errors, v_verdict -> 'errors');
      v_refused := coalesce(v_refused, v_verdict -> 'refused');
    end if;
  end loop;
  if v_errors is not null or v_refused is not null then
    perform logic.raise_invalid_document_fields(new.workspace_id, v_errors, v_refused);
  end if;
  return new;
end
$$;
comment on function logic.record__150_fields() is 'Checks the fields of a document that change, and fills defaults.';

create or replace trigger record__150_fields
  before insert or update of data on core.record
  for each row execute function logic.record__150_fields();
