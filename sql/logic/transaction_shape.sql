-- The answer of a transaction: {id, seq, records}; of a record that its write took out of the caller's sight only the id.
create or replace function logic.transaction_shape(p_workspace_id uuid, p_id uuid, p_records uuid[]) returns jsonb
language sql volatile
as $$
  select jsonb_build_object('id', p_id, 'seq', logic.written_seq(p_workspace_id), 'records', coalesce((
    select jsonb_agg(coalesce(logic.record_shape(r), jsonb_build_object('id', i.id)) order by i.n)
    from unnest(p_records) with ordinality i(id, n)
    left join core.record r on r.workspace_id = p_workspace_id and r.id = i.id), '[]'))
$$;
comment on function logic.transaction_shape(uuid, uuid, uuid[]) is 'The answer of a transaction.';
