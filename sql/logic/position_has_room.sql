-- Whether short positions (see logic.position_between) fit between two others; null stands for an open end.
create or replace function logic.position_has_room(p_low text, p_high text) returns boolean
language plpgsql immutable parallel safe
as $$
begin
  return length(logic.position_between(p_low, p_high)) <= 12;
exception when sqlstate 'PT422' then
  return false;
end
$$;
comment on function logic.position_has_room(text, text) is 'Whether short positions fit between two others.';
