-- POST records/get: these records (uuids or display ids), deleted ones too, in the order asked for, without those that there are not, or
-- that the caller may not see: {records}.
create or replace function api.records_get(p_workspace_id uuid, p_ids text[]) returns jsonb
language sql stable
as $$
  select jsonb_build_object('records', coalesce(jsonb_agg(logic.record_shape(r) order by i.n), '[]'))
  from unnest(p_ids) with ordinality i(id, n)
  join core.record r on r.workspace_id = p_workspace_id and r.id = logic.record_id(p_workspace_id, i.id)
$$;
comment on function api.records_get(uuid, text[]) is 'Several records by their ids.';
