-- What the process needs to show somebody as present: who he is, the record that he is on with its tokens (any of which lets a reader see it),
-- and the tokens that he may read with himself, by which others are shown to him. It reads, and nothing more: who is present stands in
-- no table.
-- Raises PT404 unknown_record.
create or replace function api.presence_enter(p_workspace_id uuid, p_record_id text default null) returns jsonb
language plpgsql stable
as $$
declare
  v_record core.record;
begin
  if p_record_id is not null then
    v_record := logic.record_find(p_workspace_id, p_record_id);
  end if;
  return jsonb_build_object(
    'account', jsonb_build_object(
      'id', core.entered_actor(),
      'name', logic.member_name(p_workspace_id, core.entered_actor()::text)),
    'read', string_to_array(current_setting('rowcast.read', true), ' '),
    'recordId', v_record.id,
    'collection', v_record.collection,
    'tokens', case when v_record.id is not null then core.tokens(v_record.collection, v_record.audience) end);
end
$$;
comment on function api.presence_enter(uuid, text) is 'Who somebody present is, and what he may see.';
