create or replace function logic.entered_session() returns uuid
language sql stable parallel safe
as $$ select nullif(current_setting('rowcast.session', true), '')::uuid $$;
comment on function logic.entered_session() is 'The session of this call; null where the process vouches for the account.';
