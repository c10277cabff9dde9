-- What the calls of an account batch need, read under the accounts' locks: as batch_open, without a workspace.
create or replace function logic.account_batch_open(
  p_functions text[], p_actors uuid[], p_sessions uuid[], p_transactions uuid[], p_arguments text[], p_locked uuid[])
returns table (n integer, repeated_seq bigint, refusal text, busy boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query select c.n::integer, t.last_seq,
    case
      when not logic.session_live(c.session, c.actor) then 'unauthenticated'
      when t.expired then 'transaction_expired'
      when t.request_hash <> logic.request_hash(c.function, c.arguments) then 'transaction_reused'
    end,
    row_number() over (partition by c.actor, c.id order by c.n) > 1
      or (c.actor <> all (p_locked) and exists (select from core.account a where a.id = c.actor))
  from unnest(p_functions, p_actors, p_sessions, p_transactions, p_arguments) with ordinality
    c(function, actor, session, id, arguments, n)
  left join core.transaction t
    on t.workspace_id = '00000000-0000-0000-0000-000000000000' and t.actor_id = c.actor and t.id = c.id
  order by c.actor, c.n;
end
$$;
comment on function logic.account_batch_open(text[], uuid[], uuid[], uuid[], text[], uuid[]) is 'Reads what the calls of an account batch need.';
