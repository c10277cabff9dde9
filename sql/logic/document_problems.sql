-- Why a document can't take the steps of a migration: a row for each field, with the code of the refusal.
create or replace function logic.document_problems(p_workspace_id uuid, p_steps jsonb, p_data jsonb)
returns table (code text, key text, message text)
language plpgsql stable
as $$
declare
  v_step jsonb;
  v_value jsonb;
begin
  for v_step in select s.value from jsonb_array_elements(p_steps) s where s.value ? 'to' loop
    key := v_step ->> 'to';
    v_value := case when p_data ? (v_step ->> 'from') then logic.value_migrate(v_step, p_data -> (v_step ->> 'from')) else 'null' end;
    if key <> v_step ->> 'from' and p_data ? key and not jsonb_path_exists(p_steps, '$[*] ? (@.from == $key)', jsonb_build_object('key', key)) then
      message := 'stands in the document already, beside the fields.';
    elsif v_value is null then
      message := format('can''t become %s without loss.', v_step -> 'rule' ->> 'type');
    elsif v_value = 'null' then
      message := case when not v_step -> 'rule' ? 'required' or v_step ? 'fill' then null
        when p_data ? (v_step ->> 'from') then 'is required, and its option is gone.'
        when v_step ? 'required' then 'is required, and not set.' end;
    else
      message := case when v_step ? 'check' then logic.field_violation(p_workspace_id, v_step -> 'rule', v_value) end;
    end if;
    code := case when v_value = 'null' and p_data ? (v_step ->> 'from') and v_step ? 'gone' then 'option_in_use' else 'values_do_not_fit' end;
    if message is not null then
      return next;
    end if;
  end loop;
end
$$;
comment on function logic.document_problems(uuid, jsonb, jsonb) is 'Why a document can''t be migrated.';
