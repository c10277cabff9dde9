-- Lets in who may manage the entered workspace. Raises PT403 not_permitted.
create or replace function logic.manage_check() returns void
language plpgsql stable
as $$
begin
  if core.entered_workspace() is null or not core.permits('manage', '*') then
    perform logic.raise_refusal('not_permitted');
  end if;
end
$$;
comment on function logic.manage_check() is 'Refuses who may not manage the entered workspace.';
