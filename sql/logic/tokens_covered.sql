-- Whether each of the wanted tokens is held, itself or by a wider one: * covers all, a collection its :own and :unassigned; a
-- verb's tokens likewise, each verb for itself. Nobody grants what he does not hold.
create or replace function logic.tokens_covered(p_wanted text, p_held text, p_verbs boolean) returns boolean
language sql immutable parallel safe
as $$
  select not exists (
    select
    from unnest(string_to_array(p_wanted, ' ')) w(token)
    cross join lateral (
      select case when p_verbs then split_part(w.token, ':', 1) || ':' else '' end as verb,
        split_part(w.token, ':', case when p_verbs then 2 else 1 end) as collection) x
    where w.token <> ''
      and not array[w.token, x.verb || '*', x.verb || x.collection] && string_to_array(p_held, ' '))
$$;
comment on function logic.tokens_covered(text, text, boolean) is 'Whether tokens cover others.';
