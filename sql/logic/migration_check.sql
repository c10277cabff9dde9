-- Refuses a migration that some documents of the collection can't take, deleted ones too. Up to 20 of the records are named, of those
-- that the caller may read; their number tells all.
-- Raises PT409 option_in_use, values_do_not_fit {records, errors: [{displayId, path, message}]}.
create or replace function logic.migration_check(p_workspace_id uuid, p_collection text, p_steps jsonb) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_codes text[];
  v_records bigint;
  v_errors jsonb;
begin
  select array_agg(distinct b.code), count(distinct b.number),
    jsonb_agg(jsonb_build_object('displayId', b.display_id, 'path', 'data.' || b.key, 'message', b.message) order by b.number, b.key)
      filter (where b.visible and b.nth <= 20)
  into v_codes, v_records, v_errors
  from (
    select r.number, r.display_id, p.code, p.key, p.message, core.granted('rowcast.read', r.collection, r.audience) as visible,
      dense_rank() over (partition by core.granted('rowcast.read', r.collection, r.audience) order by r.number) as nth
    from core.record r
    cross join lateral logic.document_problems(p_workspace_id, p_steps, r.data) p
    where r.workspace_id = p_workspace_id and r.collection = p_collection
  ) b;
  if v_codes is null then
    return;
  end if;
  if 'option_in_use' = any (v_codes) then
    raise sqlstate 'PT409' using hint = 'option_in_use', message = 'An option that is left out is in use, its field is required, and has no default.',
      detail = jsonb_build_object('records', v_records, 'errors', coalesce(v_errors, '[]'));
  end if;
  raise sqlstate 'PT409' using hint = 'values_do_not_fit', message = 'Some records hold values that do not fit the new fields.',
    detail = jsonb_build_object('records', v_records, 'errors', coalesce(v_errors, '[]'));
end
$$;
comment on function logic.migration_check(uuid, text, jsonb) is 'Refuses a migration that documents can''t take.';
