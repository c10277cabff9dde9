-- What a key of a filter or a sort compares: an expression over core.record r, its SQL type, and the kind that says how it is filtered
-- (see filter_condition): text, number, boolean, date, instant, select, list, id (of an account or a record, in a document), column.
-- Texts compare in the C collation; a select compares by the order of its options: the place of its option, four digits, stands before
-- the value, 9999 before a value that is no option (any more). A value of another type than the field's counts as absent.
-- Raises PT422 unknown_field, naming it.
create or replace function logic.list_expression(
  p_workspace_id uuid, p_collection text, p_key text, out expression text, out type text, out kind text, out options text[])
language plpgsql stable
as $$
declare
  v_field core.field;
begin
  kind := 'column';
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
      select * into v_field
      from core.field f
      where f.workspace_id = p_workspace_id and f.collection = p_collection and f.key = p_key;
      if not found then
        raise sqlstate 'PT422' using message = format('There is no field %s.', to_jsonb(p_key)), hint = 'unknown_field',
          detail = jsonb_build_object('errors', jsonb_build_array(jsonb_build_object('path', p_key, 'message', 'unknown field')));
      end if;
      type := 'text';
      kind := 'text';
      case v_field.type
        when 'number' then
          expression := format('case when jsonb_typeof(r.data -> %1$L) = ''number'' then (r.data ->> %1$L)::numeric end', p_key);
          type := 'numeric';
          kind := 'number';
        when 'boolean' then
          expression := format('case when jsonb_typeof(r.data -> %1$L) = ''boolean'' then (r.data ->> %1$L)::boolean end', p_key);
          type := 'boolean';
          kind := 'boolean';
        when 'date' then
          expression := format('logic.date_text(r.data ->> %L) collate "C"', p_key);
          kind := 'date';
        when 'datetime' then
          expression := format('logic.instant_parse(r.data ->> %L)', p_key);
          type := 'timestamptz';
          kind := 'instant';
        when 'select' then
          options := array(
            select coalesce(o.value ->> 'value', o.value #>> '{}') from jsonb_array_elements(v_field.options) with ordinality o(value, n) order by o.n);
          expression := format(
            'case when jsonb_typeof(r.data -> %1$L) = ''string'' then '
              || 'to_char(coalesce(array_position(%2$L::text[], r.data ->> %1$L), 9999), ''FM0000'') || (r.data ->> %1$L) end collate "C"',
            p_key, options);
          kind := 'select';
        when 'multi_select' then
          expression := format(
            'case when jsonb_typeof(r.data -> %1$L) = ''array'' then nullif(r.data ->> %1$L, ''[]'') end collate "C"', p_key);
          kind := 'list';
        when 'user', 'reference' then
          expression := format('logic.ids_text(r.data -> %L) collate "C"', p_key);
          kind := 'id';
        when 'json' then
          expression := format('(r.data ->> %L) collate "C"', p_key);
        else
          expression := format('case when jsonb_typeof(r.data -> %1$L) = ''string'' then r.data ->> %1$L end collate "C"', p_key);
      end case;
  end case;
end
$$;
comment on function logic.list_expression(uuid, text, text) is 'The expression, type and kind behind a key of a filter or sort.';
