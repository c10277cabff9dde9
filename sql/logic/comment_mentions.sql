-- Whom a comment mentions: members of the workspace who may read its record. Definer, since accounts and other people's rights are
-- open to nobody; it answers no more than whose name its caller has written.
create or replace function logic.comment_mentions(p_comment core.comment) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_tokens text[];
  v_mentions uuid[];
begin
  if position('@' in p_comment.body) = 0 then
    return '{}';
  end if;
  v_tokens := core.tokens(p_comment.collection, p_comment.audience);
  select logic.mentions_find(p_comment.body, array_agg(a.id), array_agg(a.name), array_agg(a.email)) into v_mentions
  from core.member m
  join core.role r on r.workspace_id = m.workspace_id and r.key = m.role
  join core.account a on a.id = m.account_id and a.disabled_at is null
  where m.workspace_id = p_comment.workspace_id
    and string_to_array(logic.role_tokens(r.read, m.account_id), ' ') && v_tokens;
  return v_mentions;
end
$$;
comment on function logic.comment_mentions(core.comment) is 'Whom a comment mentions.';
