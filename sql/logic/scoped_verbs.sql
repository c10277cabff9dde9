-- What is left of a role's verbs under the scopes of a token: `manage` covers managing, `write` all else.
create or replace function logic.scoped_verbs(p_may text[], p_scopes text[]) returns text[]
language sql immutable parallel safe
as $$
  select array(
    select v.token
    from unnest(p_may) with ordinality v(token, n)
    where case when v.token like 'manage:%' then 'manage' else 'write' end = any (p_scopes)
    order by v.n)
$$;
comment on function logic.scoped_verbs(text[], text[]) is 'The verbs of a role that the scopes of a token leave.';
