-- Takes the caller's last write back (or, p_redo: his last undo), as a write of its own. {id, seq, records, undone: {id, at}, skipped}.
-- Raises PT409 nothing_to_undo, nothing_to_redo, and whatever a write may: it goes through rights, rules and workflow like any other.
create or replace function logic.undo_run(p_workspace_id uuid, p_redo boolean) returns jsonb
language plpgsql volatile
as $$
declare
  v_id constant uuid := nullif(current_setting('rowcast.transaction', true), '')::uuid;
  v_target core.transaction;
  v_plan record;
  v_ids uuid[];
begin
  if logic.repeated_seq() is not null then
    v_target := logic.undone_find(p_workspace_id, v_id);
    v_ids := logic.transaction_records(p_workspace_id, v_id);
  else
    select * into v_target from logic.undo_candidates(p_workspace_id, p_redo, 1);
    if v_target.id is null then
      if p_redo then
        raise sqlstate 'PT409' using message = 'There is nothing to redo.', hint = 'nothing_to_redo';
      end if;
      raise sqlstate 'PT409' using message = 'There is nothing to undo.', hint = 'nothing_to_undo';
    end if;
    v_plan := logic.undo_operations(p_workspace_id, v_target);
    v_ids := logic.operations_run(p_workspace_id, v_plan.operations, '{"onConflict": "yours"}');
    v_target.skipped := v_plan.skipped;
    perform logic.undone_mark(v_target, v_id);
  end if;
  return logic.transaction_shape(p_workspace_id, v_id, v_ids) || jsonb_build_object(
    'undone', jsonb_build_object('id', v_target.id, 'at', logic.utc(v_target.at)),
    'skipped', v_target.skipped);
end
$$;
comment on function logic.undo_run(uuid, boolean) is 'Undoes, or redoes.';
