-- A role says `task:own` and `task:unassigned`; a record's tokens say `task:<uuid>` (see core.tokens).
-- Stable, as array_to_string is: declared immutable it would be called for each row instead of being planned into its query.
create or replace function logic.role_tokens(p_tokens text[], p_actor_id uuid) returns text
language sql stable parallel safe
as $$
  select case when p_tokens = '{*}' then '*' else
    replace(replace(array_to_string(p_tokens, ' ') || ' ',
      ':own ', ':' || p_actor_id::text || ' '),
      ':unassigned ', ':00000000-0000-0000-0000-000000000000 ')
  end
$$;
comment on function logic.role_tokens(text[], uuid) is 'The tokens of a role as its holder has them, separated by spaces.';
