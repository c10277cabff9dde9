-- What the hub needs to know of a stream: the tokens that its account may read with, a fingerprint of account and rights (a
-- cursor carries it: with other rights it can't be continued), and where the log ends now.
create or replace function api.stream_open(p_workspace_id uuid) returns jsonb
language plpgsql stable
as $$
declare
  v_position constant record := logic.log_position(p_workspace_id);
  v_read constant text := current_setting('rowcast.read');
begin
  return jsonb_build_object(
    'account', core.entered_actor(),
    'read', to_jsonb(array_remove(string_to_array(v_read, ' '), '')),
    'fingerprint', left(md5(core.entered_actor() || ' ' || v_read), 8),
    'epoch', (select w.epoch from core.workspace w where w.workspace_id = p_workspace_id),
    'collections', (select jsonb_object_agg(c.plural, c.key) from core.collection c where c.workspace_id = p_workspace_id),
    'seq', v_position.seq,
    'mark', v_position.mark);
end
$$;
comment on function api.stream_open(uuid) is 'Rights and starting point of a stream.';
