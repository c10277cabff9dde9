-- What a change of these fields is called in a campaign: a task that comes into another phase has moved, wherever it stands there.
create or replace function faces.campaign_action(p_action text, p_fields jsonb) returns text
language sql immutable parallel safe
as $$ select case when p_action = 'updated' and p_fields ? 'phaseId' then 'moved' else p_action end $$;
comment on function faces.campaign_action(text, jsonb) is 'The action of a change, as a campaign calls it.';
