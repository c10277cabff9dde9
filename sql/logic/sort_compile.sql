-- A sort like -priority,createdAt, always ending in the unique number (in the direction of the last key), as what a keyset page needs:
-- the order, the values to put into a cursor, and the condition that a record stands behind a cursor's values. Absent values come last
-- either way. The first key bounds the page by itself where nothing can be absent, so that an index leads straight to a deep one;
-- `indexed` says that there is such an index.
-- Raises PT422 unknown_field; 22xxx where the cursor's values are not of the keys' types.
create or replace function logic.sort_compile(
  p_workspace_id uuid, p_collection text, p_sort text, p_after jsonb,
  out ordering text, out key_values text, out behind text, out indexed boolean)
language plpgsql stable
as $$
declare
  v_key record;
  v_equal text := 'true';
  v_literal text;
  v_orders text[] := '{}';
  v_values text[] := '{}';
  v_behind text[] := '{}';
  v_bound text := '';
  v_sort constant text := nullif(btrim(p_sort), '');
begin
  for v_key in
    select k.key, x.expression, x.type, k.descending, k.n,
      k.key <> all ('{number,version,position,displayId,createdAt,updatedAt}') as optional
    from (
      select ltrim(s.key, '-') as key, starts_with(s.key, '-') as descending, s.n
      from string_to_table(
        concat_ws(',', v_sort, case when v_sort ~ '(^|,)-[^,]*$' then '-number' else 'number' end), ',') with ordinality s(key, n)
    ) k
    cross join lateral logic.list_expression(p_workspace_id, p_collection, k.key) x
    order by k.n
  loop
    indexed := coalesce(indexed, v_key.key in ('number', 'position', 'createdAt'));
    v_orders := v_orders || concat_ws(' ',
      v_key.expression, case when v_key.descending then 'desc' else 'asc' end, case when v_key.optional then 'nulls last' end);
    v_values := v_values || format('(%s)::text', v_key.expression);
    v_literal := format('%L::%s', p_after ->> (v_key.n::integer - 1), v_key.type);
    if p_after ->> (v_key.n::integer - 1) is not null then
      v_behind := v_behind || format('%s and (%s %s %s%s)', v_equal, v_key.expression,
        case when v_key.descending then '<' else '>' end, v_literal,
        case when v_key.optional then format(' or (%s) is null', v_key.expression) end);
      if v_key.n = 1 and not v_key.optional then
        v_bound := format('%s %s= %s and ', v_key.expression, case when v_key.descending then '<' else '>' end, v_literal);
      end if;
    end if;
    v_equal := format('%s and %s is not distinct from %s', v_equal, v_key.expression, v_literal);
  end loop;
  ordering := array_to_string(v_orders, ', ');
  key_values := format('jsonb_build_array(%s)', array_to_string(v_values, ', '));
  behind := case when p_after is null then 'true' else v_bound || '(' || array_to_string(v_behind, ' or ') || ')' end;
end
$$;
comment on function logic.sort_compile(uuid, text, text, jsonb) is 'A sort as the parts of a keyset query.';
