-- What a stream starts with: its rights (see stream_rights), where the log ends now, and the collections by their plural.
create or replace function api.stream_open(p_workspace_id uuid) returns jsonb
language plpgsql stable
as $$
declare
  v_position constant record := logic.log_position(p_workspace_id);
begin
  return (
    select jsonb_build_object(
      'account', r.account_id,
      'read', to_jsonb(r.read),
      'fingerprint', r.fingerprint,
      'epoch', (select w.epoch from core.workspace w where w.workspace_id = p_workspace_id),
      'collections', (select jsonb_object_agg(c.plural, c.key) from core.collection c where c.workspace_id = p_workspace_id),
      'seq', v_position.seq,
      'mark', v_position.mark)
    from api.stream_rights(array[p_workspace_id], array[core.entered_actor()], array[logic.entered_session()]) r);
end
$$;
comment on function api.stream_open(uuid) is 'Rights and starting point of a stream.';
