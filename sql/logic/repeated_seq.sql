-- Set while the dispatcher answers a repeat: the transaction took effect before, so a write function writes nothing, and
-- answers what it answered then, read again under today's rights.
create or replace function logic.repeated_seq() returns bigint
language sql stable
as $$ select nullif(current_setting('rowcast.repeat', true), '')::bigint $$;
comment on function logic.repeated_seq() is 'The seq that a repeated transaction answered the first time; null in a first one.';
