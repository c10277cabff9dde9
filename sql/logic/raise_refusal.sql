-- The refusals that several functions share, in one voice. What the caller may not know of is "no such" thing to him.
-- Raises PT401 unauthenticated; PT404 unknown_workspace, unknown_record, unknown_comment, unknown_collection; PT403 not_permitted; PT410 transaction_expired;
-- PT422 ambiguous_workspace (with the candidates) transaction_reused and invalid_token.
create or replace function logic.raise_refusal(p_code text, p_candidates uuid[] default null) returns void
language plpgsql stable
as $$
begin
  case p_code
    when 'unauthenticated' then
      raise sqlstate 'PT401' using hint = p_code, message = 'Sign in first.';
    when 'unknown_workspace' then
      raise sqlstate 'PT404' using hint = p_code, message = 'There is no such workspace, or you are not a member of it.';
    when 'unknown_record' then
      raise sqlstate 'PT404' using hint = p_code, message = 'There is no such record, or you may not see it.';
    when 'unknown_comment' then
      raise sqlstate 'PT404' using hint = p_code, message = 'There is no such comment, or you may not see it.';
    when 'unknown_collection' then
      raise sqlstate 'PT404' using hint = p_code, message = 'There is no such collection in this workspace.';
    when 'invalid_token' then
      raise sqlstate 'PT422' using hint = p_code, message = 'This link is not good, or no longer: it was used, or it has expired.';
    when 'not_permitted' then
      raise sqlstate 'PT403' using hint = p_code, message = 'Your role does not let you do this.';
    when 'transaction_reused' then
      raise sqlstate 'PT422' using hint = p_code, message = 'This id was used for another request.';
    when 'transaction_expired' then
      raise sqlstate 'PT410' using hint = p_code,
        message = 'This was written so long ago that its answer is kept no longer; it was not written again.';
    when 'ambiguous_workspace' then
      raise sqlstate 'PT422' using hint = p_code, message = 'Say which workspace is meant: workspaceId.',
        detail = jsonb_build_object('workspaces', to_jsonb(coalesce(p_candidates, '{}')));
  end case;
end
$$;
comment on function logic.raise_refusal(text, uuid[]) is 'Raises one of the shared refusals.';
