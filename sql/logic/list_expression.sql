-- What a key of a filter or a sort compares: an expression over core.record r and its type. Numbers compare as numbers, dates and
-- texts as texts in the C collation; a value of another type than the field's counts as absent.
-- Raises PT422 unknown_field, naming it.
create or replace function logic.list_expression(
  p_workspace_id uuid, p_collection text, p_key text, out expression text, out type text)
language plpgsql stable
as $$
declare
  v_field text;
begin
  case p_key
    when 'number' then expression := 'r.number'; type := 'bigint';
    when 'version' then expression := 'r.version'; type := 'integer';
    when 'position' then expression := 'r.position'; type := 'text';
    when 'displayId' then expression := 'r.display_id collate "C"'; type := 'text';
    when 'createdAt' then expression := 'r.created_at'; type := 'timestamptz';
    when 'updatedAt' then expression := 'r.updated_at'; type := 'timestamptz';
    when 'createdBy' then expression := 'r.created_by'; type := 'uuid';
    when 'updatedBy' then expression := 'r.updated_by'; type := 'uuid';
    else
      select f.type into v_field
      from core.field f
      where f.workspace_id = p_workspace_id and f.collection = p_collection and f.key = p_key;
      if not found then
        raise sqlstate 'PT422' using message = format('There is no field %s.', to_jsonb(p_key)), hint = 'unknown_field',
          detail = jsonb_build_object('errors', jsonb_build_array(jsonb_build_object('path', p_key, 'message', 'unknown field')));
      end if;
      if v_field = 'number' then
        expression := format('case when jsonb_typeof(r.data -> %1$L) = ''number'' then (r.data ->> %1$L)::numeric end', p_key);
        type := 'numeric';
      elsif v_field = 'boolean' then
        expression := format('case when jsonb_typeof(r.data -> %1$L) = ''boolean'' then (r.data ->> %1$L)::boolean end', p_key);
        type := 'boolean';
      else
        expression := format('(r.data ->> %L) collate "C"', p_key);
        type := case v_field when 'multi_select' then 'list' else 'text' end;
      end if;
  end case;
end
$$;
comment on function logic.list_expression(uuid, text, text) is 'The expression and type behind a key of a filter or sort.';
