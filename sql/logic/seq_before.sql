-- The last seq above the floor whose change is older than an instant; the floor where none is. Found by halves: in a log times never go
-- back, and above the floor no seq is missing.
create or replace function logic.seq_before(p_workspace_id uuid, p_at timestamptz) returns bigint
language plpgsql stable
as $$
declare
  v_low bigint := (select k.floor from core.clock k where k.workspace_id = p_workspace_id);
  v_high bigint := (logic.log_position(p_workspace_id)).seq;
  v_middle bigint;
begin
  while v_low < v_high loop
    v_middle := (v_low + v_high + 1) / 2;
    if (select c.at from core.change c where c.workspace_id = p_workspace_id and c.seq = v_middle) < p_at then
      v_low := v_middle;
    else
      v_high := v_middle - 1;
    end if;
  end loop;
  return v_low;
end
$$;
comment on function logic.seq_before(uuid, timestamptz) is 'The last seq of a log that is older than an instant.';
