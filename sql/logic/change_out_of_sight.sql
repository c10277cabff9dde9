-- Of the changes of a record, in order, the one by which it left the sight of who reads with these tokens, and stayed out of it: the first behind
-- the last that he saw. What happened behind that one he is not told.
create or replace function logic.change_out_of_sight(p_changes core.change[], p_read text[]) returns core.change
language plpgsql stable parallel safe
as $$
declare
  v_left core.change;
  v_change core.change;
begin
  foreach v_change in array p_changes loop
    if core.tokens(v_change.collection, v_change.audience_after) && p_read then
      v_left := null;
    elsif v_left.seq is null then
      v_left := v_change;
    end if;
  end loop;
  return v_left;
end
$$;
comment on function logic.change_out_of_sight(core.change[], text[]) is 'The change by which a record left somebody''s sight.';
