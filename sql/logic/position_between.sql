-- A fractional index: a key that sorts (collate "C") strictly between two others; null stands for an open end.
-- Keys are digits of a base-62 fraction and never end in 0. Shortest key near the middle, after D. Greenspan,
-- "Implementing Fractional Indexing" (https://observablehq.com/@dgreensp/implementing-fractional-indexing).
-- Raises PT422 position_order where p_before isn't below p_after, or where one is no such key (psql can write any text): no
-- digits of it, or a 0 at its end, below which there is no room.
create or replace function logic.position_between(p_before text, p_after text) returns text
language plpgsql immutable parallel safe
as $$
declare
  v_digits constant text := '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  v_low text := coalesce(p_before, '');
  v_high text := p_after;
  v_key text := '';
  v_from integer;
  v_to integer;
begin
  if v_high is not null and v_low collate "C" >= v_high collate "C"
      or translate(concat(v_low, v_high), v_digits, '') <> '' or right(v_high, 1) = '0' then
    raise sqlstate 'PT422' using message = 'The record that it is to stand after must stand before the other.', hint = 'position_order';
  end if;
  loop
    v_from := coalesce(nullif(strpos(v_digits, nullif(substr(v_low, length(v_key) + 1, 1), '')), 0), 1);
    v_to := case when v_high is null then 63
      else strpos(v_digits, substr(v_high, length(v_key) + 1, 1)) end;
    if v_to - v_from > 1 then
      return v_key || substr(v_digits, (v_from + v_to) / 2, 1);
    end if;
    v_key := v_key || substr(v_digits, v_from, 1);
    if v_from < v_to then
      v_high := null;
    end if;
  end loop;
end
$$;
comment on function logic.position_between(text, text) is 'A position between two others; null is an open end.';
