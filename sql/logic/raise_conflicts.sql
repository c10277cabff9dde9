-- Refuses a write for its conflicts, each told once, as it was found last. Raises PT409 conflict.
create or replace function logic.raise_conflicts(p_conflicts jsonb[]) returns void
language plpgsql stable
as $$
begin
  raise sqlstate 'PT409' using message = 'The same fields, or the record as a whole, have changed since the version that this is based on.', hint = 'conflict',
    detail = jsonb_build_object('conflicts', (
      select jsonb_agg(c.last order by c.first)
      from (
        select min(e.n) as first, (array_agg(e.value order by e.n desc))[1] as last
        from unnest(p_conflicts) with ordinality e(value, n)
        group by e.value -> 'recordId', e.value -> 'key'
      ) c));
end
$$;
comment on function logic.raise_conflicts(jsonb[]) is 'Refuses a write for its conflicts.';
