-- Many positions between two others, in order, spread evenly: the middle one first, then each half in the same way, so that all
-- are short. Raises as logic.position_between.
create or replace function logic.positions_between(p_low text, p_high text, p_count integer) returns text[]
language plpgsql immutable parallel safe
as $$
declare
  v_left constant integer := (p_count - 1) / 2;
  v_middle text;
begin
  if p_count < 1 then
    return '{}';
  end if;
  v_middle := logic.position_between(p_low, p_high);
  return logic.positions_between(p_low, v_middle, v_left) || v_middle
    || logic.positions_between(v_middle, p_high, p_count - 1 - v_left);
end
$$;
comment on function logic.positions_between(text, text, integer) is 'Positions between two others, evenly spread.';
