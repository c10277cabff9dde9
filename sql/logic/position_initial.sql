-- Where a new record stands in manual order: after all that were never moved to the end, without looking any of them up.
-- The number in base 62 behind its length, so that text order is number order, and a closing V, so that the key never ends in
-- the lowest digit and there is room on both sides of it (see position_between).
create or replace function logic.position_initial(p_number bigint) returns text
language plpgsql immutable parallel safe
as $$
declare
  v_digits constant text := '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  v_text text := '';
  v_rest bigint := p_number;
begin
  loop
    v_text := substr(v_digits, (v_rest % 62)::integer + 1, 1) || v_text;
    v_rest := v_rest / 62;
    exit when v_rest = 0;
  end loop;
  return chr(ascii('a') + length(v_text) - 1) || v_text || 'V';
end
$$;
comment on function logic.position_initial(bigint) is 'The position of a new record, from its number.';
