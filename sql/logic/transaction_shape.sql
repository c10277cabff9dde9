-- The answer of a transaction: {id, seq, records}; of a record that its write took out of the caller's sight only the id. A repeat is
-- answered the same, with the records as they were then, as far as the caller may read them today.
create or replace function logic.transaction_shape(p_workspace_id uuid, p_id uuid, p_records uuid[]) returns jsonb
language sql volatile
as $$
  select jsonb_build_object('id', p_id, 'seq', logic.written_seq(p_workspace_id), 'records', coalesce((
    select jsonb_agg(case when (w.record).id is null then jsonb_build_object('id', i.id) else logic.record_shape(w.record) end order by i.n)
    from unnest(p_records) with ordinality i(id, n)
    left join core.record r on r.workspace_id = p_workspace_id and r.id = i.id
    cross join lateral (
      select case when r.id is null or logic.repeated_seq() is null then r else logic.record_at(r, logic.repeated_seq()) end as record
      offset 0
    ) w), '[]'))
$$;
comment on function logic.transaction_shape(uuid, uuid, uuid[]) is 'The answer of a transaction.';
