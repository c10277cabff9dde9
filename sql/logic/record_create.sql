-- Creates a record in a collection of the entered workspace. The id may be the client's own.
-- Raises PT404 unknown_collection, PT403 not_permitted, PT409 record_exists (the id is taken in this workspace).
create or replace function logic.record_create(
  p_workspace_id uuid, p_collection text, p_data jsonb, p_id uuid, out record core.record, out seq bigint)
language plpgsql volatile
as $$
declare
  v_collection text;
begin
  seq := logic.repeated_seq();
  if seq is not null then
    record := logic.record_find(p_workspace_id, logic.repeated_record_id(p_workspace_id)::text);
    return;
  end if;
  v_collection := (logic.collection_find(p_workspace_id, p_collection)).key;
  if not core.permits('create', v_collection) then
    perform logic.raise_refusal('not_permitted');
  end if;
  p_id := coalesce(p_id, gen_random_uuid());
  perform set_config('rowcast.written', p_id::text, true);
  insert into core.record as r (workspace_id, id, collection, data)
  values (p_workspace_id, p_id, v_collection, p_data)
  on conflict (workspace_id, id) do nothing
  returning r.* into record;
  perform set_config('rowcast.written', '', true);
  if record.id is null then
    raise sqlstate 'PT409' using message = 'There is a record with this id already.', hint = 'record_exists';
  end if;
  seq := logic.seq_carried(p_workspace_id);
end
$$;
comment on function logic.record_create(uuid, text, jsonb, uuid) is 'Creates a record.';
